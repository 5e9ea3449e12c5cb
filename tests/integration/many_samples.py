#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""many_samples.py SCHEMA RECORDING SAMPLES: a recording with so many samples, nearly each of them of
another stack or process: 64 processes, a stack of 12 frames for each two samples. SCHEMA: what
`pipescope schema` prints. Prints the seconds of CPU that all of it took."""

import random
import sqlite3
import sys

PROCESSES, FUNCTIONS, SLICES, HZ = 64, 2000, 100, 99


def main():
    schema, path, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    chance = random.Random(1)
    db = sqlite3.connect(path)
    with open(schema, encoding="utf-8") as stream:
        db.executescript(stream.read())
    add = db.executemany
    slice_ns = count * 10**9 // HZ // PROCESSES // SLICES
    add("INSERT INTO meta VALUES (?, ?)",
        [("node", "node1"), ("kernel", "6.1.0"), ("cpus", "64"), ("hz", str(HZ)),
         ("sources", "cpu"), ("start_wall_ns", "1700000000000000000"), ("state", "complete"),
         ("stop_ns", str(SLICES * slice_ns))])
    add("INSERT INTO slice VALUES (?, ?, ?)",
        [(i + 1, i * slice_ns, (i + 1) * slice_ns) for i in range(SLICES)])
    ids = range(1, PROCESSES + 1)
    share = count // PROCESSES
    ns = share * 10**9 // HZ
    add("INSERT INTO process VALUES (?,NULL,?,0,NULL,NULL,NULL,?,?,0,NULL,'3.11')",
        [(i, 1000 + i, ns, ns) for i in ids])
    add("INSERT INTO image VALUES (?,?,0,'python3','[]',NULL)", [(i, i) for i in ids])
    add("INSERT INTO epoch VALUES (?,?,?,0,NULL,?,NULL,NULL)",
        [(i, i, i, f"task{i % 8}") for i in ids])
    add("INSERT INTO thread VALUES (?,?,?,'main',NULL)", [(i, i, 1000 + i) for i in ids])
    add("INSERT INTO usage VALUES (?,1,?,?,0)", [(i, ns, ns) for i in ids])
    add("INSERT INTO function VALUES (?,'python',?,'/a/b.py',?,'/a/b.py')",
        [(i, f"function_{i}", 10 * i) for i in range(1, FUNCTIONS + 1)])
    add("INSERT INTO frame VALUES (?,?,?,NULL)",
        [(i, i, 10 * i + 1) for i in range(1, FUNCTIONS + 1)])
    db.execute("INSERT INTO ending VALUES ('python', 1, 'whole')")
    stacks = max(1, count // 2)
    # A chain of 11 and bushes of leaves: each node's parent is one of those before it.
    chain = [(i, i - 1 or None, i) for i in range(1, 12)]
    add("INSERT INTO stack VALUES (?,?,?)",
        chain + [(12 + i, chance.randrange(1, 12) if i < 5000 else 12 + chance.randrange(5000),
                  chance.randrange(1, FUNCTIONS + 1)) for i in range(stacks)])
    add("INSERT INTO sample (epoch, thread, slice, stack, ending, metric, count, value) "
        "VALUES (?,?,?,?,'python','cpu',1,0)",
        ((1 + i % PROCESSES, 1 + i % PROCESSES, 1 + i * SLICES // count,
          12 + chance.randrange(stacks)) for i in range(count)))
    db.commit()
    db.close()
    print(share * PROCESSES / HZ)


main()
