"""Commands of a client made of Dulwich."""

import io

import dulwich
from commands import answer_commands
from dulwich import porcelain
from dulwich.client import get_transport_and_path
from dulwich.repo import Repo

ZERO = b"0" * 40


def version():
    return f"Dulwich {'.'.join(map(str, dulwich.__version__))}"


def clone(url, path, depth=None):
    if not porcelain.ls_remote(url):
        # Dulwich's own clone wants a branch to check out.
        repo = porcelain.init(path)
        porcelain.remote_add(repo, "origin", url)
        return
    porcelain.clone(url, path, depth=depth, errstream=io.BytesIO())


def fetch(path, prune=False, depth=None):
    porcelain.fetch(path, "origin", depth=depth, errstream=io.BytesIO(), outstream=io.StringIO())


def push(path, url, refspecs):
    repo = Repo(path)
    client, remote_path = get_transport_and_path(url)
    said = []
    wanted = {}
    for refspec in refspecs:
        source, _, target = refspec.lstrip("+").partition(":")
        wanted[target.encode()] = repo.refs[source.encode()] if source else ZERO
    result = client.send_pack(
        remote_path,
        lambda refs: wanted,
        generate_pack_data=repo.generate_pack_data,
        progress=said.append,
    )
    status = result.ref_status or {}
    return {
        "refs": {name.decode(): status.get(name) for name in wanted},
        "said": b"".join(said).decode(),
    }


def list_refs(url, path):
    return {name.decode(): value.decode() for name, value in porcelain.ls_remote(url).items()}


answer_commands({"version": version, "clone": clone, "fetch": fetch, "push": push, "list_refs": list_refs})
