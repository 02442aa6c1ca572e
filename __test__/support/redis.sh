#!/bin/sh
# A Redis server for tests: sh redis.sh PORT [--setting value …]
# Says `ready` when it answers, or `not installed`. Reads `kill` (as kill -9), `stop`, `start`, `freeze`, `thaw` from its
# input, and says `done` after each; at the end of the input it stops the server and removes all of it.
port=$1
shift
command -v redis-server >/dev/null || { echo 'not installed'; exit 1; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/auton8n-redis-XXXXXX")
answers() { redis-cli -h 127.0.0.1 -p "$port" ping 2>/dev/null | grep -q 'PONG\|NOAUTH'; }
start() {
  redis-server --port "$port" --bind 127.0.0.1 --dir "$dir" --save '' "$@" >"$dir/log" 2>&1 </dev/null &
  pid=$!
  # By its own word: at the port another one may answer, for a moment.
  until grep -qsi 'ready to accept connections' "$dir/log" && answers; do
    kill -0 $pid 2>/dev/null || { tail -5 "$dir/log" >&2; return 1; }
    sleep 0.02
  done
}
end() {
  [ -n "$pid" ] && kill -"$1" "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
  pid=
}
pid=
remove() {
  end KILL
  rm -rf "$dir"
}
trap remove EXIT
trap exit HUP INT TERM
start "$@" && echo ready || exit 1
while read -r command; do
  case $command in
    kill) end KILL ;;
    stop) end TERM ;;
    start) start "$@" ;;
    freeze) kill -STOP "$pid" ;;
    thaw) kill -CONT "$pid" ;;
  esac
  echo "done"
done
