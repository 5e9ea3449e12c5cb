#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# docs/FORMAT.md names every table and column of `pipescope schema`, and its queries run.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
pipescope=${PIPESCOPE:-$root/.output/pipescope}
document=$root/docs/FORMAT.md

if ! command -v sqlite3 >/dev/null; then
	echo "SKIP: sqlite3 is not installed"
	exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
database=$folder/empty.db
"$pipescope" schema | sqlite3 -bail "$database"

failed=0
columns=$(sqlite3 "$database" "SELECT s.name || '.' || c.name FROM sqlite_schema s, pragma_table_info(s.name) c
	WHERE s.type = 'table'")
[ -n "$columns" ] || { echo "FAIL: the schema has no columns"; exit 1; }
for column in $columns; do
	table=${column%%.*}
	# The table's own section, up to the next headline.
	section=$(awk -v table="$table" '/^##/ { inside = 0 } /^### / { split(substr($0, 5), part, ":")
		count = split(part[1], names, ", ")
		for (i = 1; i <= count; i++) if (names[i] == table) inside = 1 } inside' "$document")
	case $section in
	*'`'"${column#*.}"'`'*) ;;
	*) echo "FAIL: docs/FORMAT.md does not tell of $column"; failed=1 ;;
	esac
done

awk '/^```sql$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$document" >"$folder/queries.sql"
[ -s "$folder/queries.sql" ] || { echo "FAIL: docs/FORMAT.md has no queries"; exit 1; }
sqlite3 -bail "$database" <"$folder/queries.sql" >/dev/null || { echo "FAIL: a query of docs/FORMAT.md"; failed=1; }

"$pipescope" schema --help | grep -q Usage || { echo "FAIL: schema --help"; failed=1; }
status=0
"$pipescope" schema file >/dev/null 2>&1 || status=$?
[ $status = 2 ] || { echo "FAIL: schema FILE exits $status, not 2"; failed=1; }
status=0
"$pipescope" schema >/dev/full 2>/dev/null || status=$?
[ $status = 1 ] || { echo "FAIL: schema onto a full disk exits $status, not 1"; failed=1; }
exit $failed
