"""Commands of a client made of libgit2."""

import pygit2
from commands import answer_commands


class Listener(pygit2.RemoteCallbacks):
    """Collects what the server says, and what became of each pushed ref."""

    def __init__(self):
        super().__init__()
        self.refs = {}
        self.said = ""

    def push_update_reference(self, refname, message):
        self.refs[refname] = message

    def sideband_progress(self, string):
        self.said += string


def version():
    return f"pygit2 {pygit2.__version__}, libgit2 {pygit2.LIBGIT2_VERSION}"


def clone(url, path, depth=None):
    pygit2.clone_repository(url, path)


def fetch(path, prune=False, depth=None):
    remote = pygit2.Repository(path).remotes["origin"]
    mode = pygit2.GIT_FETCH_PRUNE if prune else pygit2.GIT_FETCH_NO_PRUNE
    remote.fetch(prune=mode)


def push(path, url, refspecs):
    listener = Listener()
    pygit2.Repository(path).remotes["origin"].push(refspecs, callbacks=listener)
    return {"refs": listener.refs, "said": listener.said}


def list_refs(url, path):
    remote = pygit2.Repository(path).remotes["origin"]
    return {entry["name"]: str(entry["oid"]) for entry in remote.ls_remotes()}


answer_commands({"version": version, "clone": clone, "fetch": fetch, "push": push, "list_refs": list_refs})
