"""Runs a client library as a child of the tests: commands come as lines of JSON, and each is answered by one."""

import json
import sys


def answer_commands(commands):
    """Calls the named function for every line; what it returns or raises is the answer."""
    answers = sys.stdout
    # Libraries that print must not write between the answers.
    sys.stdout = sys.stderr
    for line in sys.stdin:
        request = json.loads(line)
        name = request.pop("command")
        try:
            answer = {"result": commands[name](**request)}
        except BaseException as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
