"""Checks an export of a Countersign ledger. Written from docs/ledger.md alone; standard library only.

    python3 ledger_verifier.py EXPORT VKEY [CHECKPOINT …]

Prints `ok SIZE ROOT`, or `bad INDEX REASON` (`-` where the fault is in no entry) and exits with 1.
"""
import base64, functools, hashlib, json, re, sys

def need(condition, why):
    if not condition:
        raise ValueError(why)

# Ed25519 (RFC 8032 section 5.1), verification only; points are (X, Y, Z, T).
P, L, NEUTRAL = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493, (0, 1, 1, 0)
D, ROOT_OF_MINUS_1 = -121665 * pow(121666, -1, P) % P, pow(2, (P - 1) // 4, P)
def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]), (p[1] + p[0]) * (q[1] + q[0])
    c, d = 2 * p[3] * q[3] * D, 2 * p[2] * q[2]
    return (b - a) * (d - c) % P, (d + c) * (b + a) % P, (d - c) * (d + c) % P, (b - a) * (b + a) % P
def times(n, p):
    return add(times(n >> 1, add(p, p)), p if n & 1 else NEUTRAL) if n else NEUTRAL
def point(raw):
    sign, y = divmod(int.from_bytes(raw, "little"), 2**255)
    xx = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(xx, (P + 3) // 8, P)
    x = x if x * x % P == xx else x * ROOT_OF_MINUS_1 % P
    need(y < P and x * x % P == xx and not (x == 0 and sign), "no point of the curve")
    return (x, y, 1, x * y % P) if x & 1 == sign else (P - x, y, 1, -x * y % P)
BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
def signed(public, text, signature):
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(r + public + text).digest(), "little") % L
    p, q = times(s, BASE), add(point(r), times(k, point(public)))
    return len(signature) == 64 and s < L and (p[0] * q[2] - q[0] * p[2]) % P == 0 == (p[1] * q[2] - q[1] * p[2]) % P

# Signed notes, public keys, checkpoints.
def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()
def unbase64(text):
    raw = base64.b64decode(text, validate=True)
    need(base64.b64encode(raw).decode() == text, "another spelling of base64")
    return raw
def parts(note):
    control = re.search(r"[\x00-\x09\x0b-\x1f\x7f]", note)
    need("\n\n" in note and note[-1] == "\n" and not control and len(note.encode()) <= 65536, "no note")
    end = note.rindex("\n\n") + 1
    return note[:end], note[end + 1 :]
def checkpoint(note):
    origin, size, root, rest = parts(note)[0].split("\n")
    need(re.fullmatch("[1-9][0-9]*", size) and int(size) < 2**64 and not rest, "no checkpoint")
    return origin, int(size), unbase64(root)  # one of another length equals no root
class Key:
    def __init__(self, text):
        self.text, (self.name, key_id, encoded) = text, text.split("+", 2)
        raw = unbase64(encoded)
        self.public, self.id = raw[1:], sha256(self.name.encode(), b"\n", raw)[:4]
        need(raw[0] == 1 and len(raw) == 33 and self.id.hex() == key_id, "no public key")
        need(self.name and not re.search(r"\s", self.name) and point(self.public), "no public key")
    def opened(self, note):
        (text, lines), mine = parts(note), False
        for line in lines[:-1].split("\n"):
            mark, name, encoded = line.split(" ")
            raw = unbase64(encoded)
            need(mark == "\u2014" and name and "+" not in name and len(raw) > 3, "no signature line")
            if name == self.name and raw[:4] == self.id:
                mine = signed(self.public, text.encode(), raw[4:])
                need(mine, "a signature that does not hold")
        need(mine, "not signed by " + self.text)
        return checkpoint(note)

def canonical(line, *fields):
    value = json.loads(line)
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    need(text.encode() == line and tuple(value) == fields, "no line of an export")
    return value
class Ledger:
    def __init__(self, notes):
        self.n, self.size, self.signed_to, self.held_to = 0, None, 0, 0
        self.peaks, self.keys, self.body, self.held = [], [], {}, notes
    def line(self, line):
        self.blame = "-" if self.size is None else self.n
        if self.size is None:
            self.header(**canonical(line, "format", "instance", "keys", "size"))
        elif line.startswith(b'{"entry":'):
            self.entry(line[9:-75], re.fullmatch(b',"leaf":"([0-9a-f]{64})"}', line[-75:]))
        elif line.startswith(b'{"text":'):
            self.text(**canonical(line, "text")["text"])
        else:
            origin, size, root = self.key().opened(canonical(line, "checkpoint")["checkpoint"])
            need((origin, size) == (self.origin, self.n), "a checkpoint of another ledger or size")
            self.blame, self.signed_to = self.signed_to, size
            need(root == self.root(), "the entries are not those that were signed")
    def header(self, format, instance, keys, size):
        need(format == "countersign/export/v1" and type(size) is int and size >= 0, "no export")
        need(re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", instance), "no instance")
        self.listed, self.instance, self.origin = keys, instance, "countersign/" + instance
        need(all(checkpoint(note)[0] == self.origin for note in self.held), "a foreign held checkpoint")
        self.held, self.size = sorted(self.held, key=lambda note: checkpoint(note)[1]), size
    def entry(self, body, leaf):
        leaf = bytes.fromhex(leaf[1].decode())
        need(self.n < self.size and sha256(b"\0", body) == leaf, "one too many, or not what was hashed")
        entry, place = json.loads(body), ("countersign/entry/v1", self.n, self.instance)
        need((entry["format"], entry["index"], entry["instance"]) == place, "another entry")
        if entry["fact"]["type"] == "CheckpointKeyNamed":
            self.name_key(**entry["fact"]["body"])
        level, self.body, self.n = 0, entry["fact"]["body"], self.n + 1
        while self.peaks and self.peaks[-1][0] == level:
            level, leaf = level + 1, sha256(b"\1", self.peaks.pop()[1], leaf)
        self.peaks.append((level, leaf))
        while self.held and checkpoint(self.held[0])[1] == self.n:
            self.blame = "-"
            _, _, root = self.key().opened(self.held.pop(0))
            self.blame, self.held_to = self.held_to, self.n
            need(root == self.root(), "not as when the held checkpoint was signed")
    def root(self):
        left = [peak for _, peak in self.peaks[-2::-1]]
        return functools.reduce(lambda right, left: sha256(b"\1", left, right), left, self.peaks[-1][1])
    def key(self):
        return [key for index, key in self.keys if index < self.n][-1]
    def name_key(self, key, signature=None):
        key, old = Key(key), self.keys[-1][1] if self.keys else None
        need(key.name == self.origin and key.text not in [k.text for _, k in self.keys], "no new key")
        text = f"countersign/checkpoint-key/v1\n{old and old.text}\n{key.text}\n".encode()
        need(signed(old.public, text, unbase64(signature)) if old else signature is None, "a key that nobody named")
        self.keys.append((self.n, key))
    def text(self, field, index, salt, text):
        need(type(index) is int and index == self.n - 1, "a text of another entry")
        self.blame, salted = index, re.fullmatch("[0-9a-f]{32}", salt)
        opened = "sha256:" + sha256(bytes.fromhex(salt), text.encode()).hex()
        need(salted and self.body.get(field) == {"commitment": opened}, "another text")
    def end(self, trusted):
        self.blame = "-" if self.size is None else self.n
        need(self.n == self.size, "missing")
        self.blame = self.signed_to
        need(self.signed_to == self.n, "no checkpoint covers it")
        need(not self.held, "missing: a held checkpoint covers it")
        self.blame, keys = "-", [key.text for _, key in self.keys]
        need(trusted.text in keys and keys == self.listed, "other keys than yours or the header's")
        return f"ok {self.n} {self.root().hex()}"

def check(ledger, lines, trusted):
    try:
        for line in lines:
            ledger.line(line[:-1] if line.endswith(b"\n") else b"")
        return ledger.end(trusted)
    except Exception as error:
        return f"bad {ledger.blame} {error!r}"

def verify(path, trusted, *held):
    ledger = Ledger([open(name, newline="").read() for name in held])
    return check(ledger, open(path, "rb"), Key(trusted))

if __name__ == "__main__":
    word = verify(*sys.argv[1:])
    print(word)
    sys.exit(not word.startswith("ok"))
