"""One command for all that were run on the same evaluation folder."""

import shlex
from collections.abc import Sequence

#: Options whose values, by commas, add up over the commands of a folder.
_LISTS = ("--traits", "--schemes", "--models")


def joined_commands(commands: Sequence[str]) -> str:
    """One command that asks for what several asked for, of the same folder.

    Lists are joined, switches are kept, other options are those of the last command;
    ``--folds-only`` stays only if every command has it.
    """
    together: dict[str, str | None] = {}
    first: list[str] = []
    for command in commands:
        words = shlex.split(command)
        at = next(i for i, word in enumerate(words) if word.startswith("--"))
        first = words[:at]
        here: dict[str, str | None] = {}
        for i, word in enumerate(words[at:], at):
            if word.startswith("--"):
                follows = words[i + 1] if i + 1 < len(words) else "--"
                here[word] = None if follows.startswith("--") else follows
        for name in (*_LISTS, "--folds-only"):
            if together and ((name in here) != (name in together)):
                # Without the option it is all of them.
                here.pop(name, None)
                together.pop(name, None)
            elif together and name in here:
                values = f"{together[name]},{here[name]}".split(",")
                here[name] = ",".join(dict.fromkeys(values))
        together |= here
    options = [word for pair in together.items() for word in pair if word is not None]
    return shlex.join([*first, *options]).replace("'", '"')
