"""python -m crash --kills 200 --database sqlite|postgres [--unsynced | --money] [--seed N], or python -m crash --faults [--rounds 5]"""

import argparse
import sys

from crash import faults, money, story
from server import Postgres

parser = argparse.ArgumentParser(prog="crash")
parser.add_argument("--kills", type=int, default=200)
parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
parser.add_argument("--unsynced", action="store_true", help="SQLite: undo writes that were not synced at each kill")
parser.add_argument("--seed", type=int, default=20261124)
parser.add_argument("--money", action="store_true", help="customers, payments and usage in place of runs")
parser.add_argument("--faults", action="store_true", help="deaths, an outage, a cut and jumping clocks on a deployment of several processes")
parser.add_argument("--rounds", type=int, default=5, help="how often each process dies with --faults")
options = parser.parse_args()

if options.faults:
    reason = faults.Network.why_not()
    stories = [lambda: faults.kills(options.rounds), lambda: faults.broker_kills(options.rounds), lambda: faults.outage(60), lambda: faults.clocks(15)]
    if reason:
        print(f"left out: a cut from the database ({reason})")
    else:
        stories.append(lambda: faults.cut(60))
    small = faults.SmallDisk(64)
    if small.why_not:
        print(f"left out: {small.why_not}")
    else:
        stories.append(lambda: faults.disk(small, 60))
    failed = False
    for one in stories:
        outcome = one()
        print(outcome)
        for fault in outcome.faults[:20]:
            print(" ", fault)
        failed = failed or bool(outcome.faults)
    small.remove()
    sys.exit(1 if failed else 0)

postgres = Postgres() if options.database == "postgres" else None
try:
    if options.money:
        outcome = money.run(options.kills, options.seed, postgres)
    else:
        url = postgres.create("crash") if postgres else None
        outcome = story.run(options.kills, options.seed, url, options.unsynced)
finally:
    if postgres:
        postgres.stop()
print(f"{options.database}{' unsynced' if options.unsynced else ''}: {outcome}")
for fault in outcome.faults[:20]:
    print(" ", fault)
sys.exit(1 if outcome.faults else 0)
