"""python -m crash --kills 200 --database sqlite|postgres [--unsynced | --money] [--seed N]"""

import argparse
import sys

from crash import money, story
from server import Postgres

parser = argparse.ArgumentParser(prog="crash")
parser.add_argument("--kills", type=int, default=200)
parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
parser.add_argument("--unsynced", action="store_true", help="SQLite: undo writes that were not synced at each kill")
parser.add_argument("--seed", type=int, default=20261124)
parser.add_argument("--money", action="store_true", help="customers, payments and usage in place of runs")
options = parser.parse_args()

postgres = Postgres() if options.database == "postgres" else None
try:
    url = postgres.create("crash") if postgres else None
    if options.money:
        outcome = money.run(options.kills, options.seed, url)
    else:
        outcome = story.run(options.kills, options.seed, url, options.unsynced)
finally:
    if postgres:
        postgres.stop()
print(f"{options.database}{' unsynced' if options.unsynced else ''}: {outcome}")
for fault in outcome.faults[:20]:
    print(" ", fault)
sys.exit(1 if outcome.faults else 0)
