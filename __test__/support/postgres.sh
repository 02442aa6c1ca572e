#!/bin/sh
# A PostgreSQL server for tests: sh postgres.sh BIN PORT [setting=value …]
# Says `ready` when it answers. Reads `kill` (as kill -9), `stop`, `start`, `freeze`, `thaw` from its input, and says
# `done` after each; at the end of the input it stops the server and removes all of it.
bin=$1 port=$2
shift 2
PATH=$bin:$PATH
dir=$(mktemp -d "${TMPDIR:-/tmp}/auton8n-pg-XXXXXX")
as=
if [ "$(id -u)" = 0 ]; then
  user=postgres
  id "$user" >/dev/null 2>&1 || user=nobody
  chown "$user" "$dir"
  as="setpriv --reuid=$user --regid=$(id -g $user) --clear-groups"
fi
chmod 755 "$dir"
settings=
for setting in "$@"; do settings="$settings -c $setting"; done
start() {
  (cd "$dir" && exec $as "$bin/postgres" -D "$dir/data" -p "$port" -k "$dir" -c listen_addresses=127.0.0.1 \
    -c shared_buffers=64MB -c max_connections=200 $settings >"$dir/log" 2>&1 </dev/null) &
  pid=$!
  # By its own word: at the port another one may answer, for a moment.
  until grep -qs 'ready to accept connections' "$dir/log" && $as pg_isready -q -h 127.0.0.1 -p "$port"; do
    kill -0 $pid 2>/dev/null || { tail -5 "$dir/log" >&2; return 1; }
    sleep 0.05
  done
}
end() {
  [ -n "$pid" ] && kill -"$1" $pid 2>/dev/null && wait $pid 2>/dev/null
  pid=
}
pid=
remove() {
  end INT
  # Children of a killed server may still write for a moment.
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf "$dir" 2>/dev/null && break
    sleep 0.1
  done
}
trap remove EXIT
trap exit HUP INT TERM
cd "$dir" && $as "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --no-locale -N >"$dir/log" 2>&1 || {
  tail -5 "$dir/log" >&2
  exit 1
}
start && echo ready || exit 1
while read -r command; do
  case $command in
    kill)
      # The children end by themselves when the postmaster is gone.
      end KILL
      while $as pg_isready -q -h 127.0.0.1 -p "$port"; do sleep 0.02; done
      ;;
    stop) end INT ;;
    start) start ;;
    freeze) for one in $pid $(pgrep -P $pid); do kill -STOP "$one"; done ;;
    thaw) for one in $(pgrep -P $pid) $pid; do kill -CONT "$one"; done ;;
  esac
  echo "done"
done
