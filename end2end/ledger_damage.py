"""Checks damaged copies of one export, many in one process, with ledger_verifier.

    python3 ledger_damage.py EXPORT VKEY [CHECKPOINT …] <DAMAGES

A damage is a line `START END HEX`: in that copy these bytes stand in place of those from START up to
END. Prints the first two words of the verifier on each copy, in order. The lines before a damage are
the same in every copy, and are taken only once.
"""
import bisect, copy, io, itertools, sys
from ledger_verifier import Key, Ledger, check

def resumed(ledger):
    again = copy.copy(ledger)
    again.peaks, again.keys, again.held = list(ledger.peaks), list(ledger.keys), list(ledger.held)
    return again

def damaged(data, starts, start, end, new):
    """The lines of a copy from the damaged one on."""
    first = starts[bisect.bisect_right(starts, start) - 1]
    line = bisect.bisect_left(starts, end)
    piece = data[first:start] + new + data[end : starts[line]]
    while piece and not piece.endswith(b"\n") and line + 1 < len(starts):
        piece, line = piece + data[starts[line] : starts[line + 1]], line + 1
    whole = (data[starts[at] : starts[at + 1]] for at in range(line, len(starts) - 1))
    return itertools.chain(io.BytesIO(piece), whole)

def main(path, trusted, *held):
    data, trusted = open(path, "rb").read(), Key(trusted)
    states, starts = [Ledger([open(name, newline="").read() for name in held])], [0]
    for line in data.split(b"\n")[:-1]:
        states.append(resumed(states[-1]))
        states[-1].line(line)
        starts.append(starts[-1] + len(line) + 1)
    for damage in sys.stdin:
        start, end, *new = damage.split()
        start, end, new = int(start), int(end), bytes.fromhex("".join(new))
        state = states[bisect.bisect_right(starts, start) - 1]
        lines = damaged(data, starts, start, end, new)
        print(*check(resumed(state), lines, trusted).split()[:2])

main(*sys.argv[1:])
