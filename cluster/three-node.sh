#!/usr/bin/env bash
# A search on machines of your own. Every machine has nas installed at the same version and sees the folder $SHARED.
#
#   ./three-node.sh head            on the first machine; stays, and Ctrl-C ends its Ray
#   ./three-node.sh join HEAD       on each of the others, with the name or address of the first
#   ./three-node.sh search          on any of them; given again, it goes on where it stopped
#
# The password of the database is no part of this file: put it into ~/.pgpass (chmod 600) or the file $PGPASSFILE names.
set -euo pipefail

SHARED=${SHARED:-/shared/nas}                                     # on a disk that all machines have under this name
STORAGE=${STORAGE:-postgresql+psycopg://nas@db.example/nas}
STUDY=${STUDY:-first}
PORT=${PORT:-6379}
export RAY_USAGE_STATS_ENABLED=0

case "${1:-}" in
head)
    # Whoever has this token, and only they, may use the cluster: copy the file to the other machines.
    [ -s "$HOME/.ray/auth_token" ] || ray get-auth-token --generate > /dev/null
    echo "token: $HOME/.ray/auth_token; the others: $0 join $(hostname)"
    exec ray start --head --port "$PORT" --block
    ;;
join)
    [ -s "$HOME/.ray/auth_token" ] || { echo "copy ~/.ray/auth_token from the first machine" >&2; exit 2; }
    exec ray start --address "${2:?the name or address of the first machine}:$PORT" --block
    ;;
search)
    cd "$SHARED"                                                  # weights of the front are written here
    workers=(--executor ray --ray-address auto --workers 64 --gpus-per-worker 0.25
             --checkpoints "$SHARED/checkpoints" --storage "$STORAGE")
    if nas pareto "$STUDY" --storage "$STORAGE" --json > /dev/null 2>&1; then
        exec nas search --resume --study "$STUDY" "${workers[@]}"
    fi
    exec nas search --space convnext --budget 4.5GFLOPs --data "folder:$SHARED/images" --recipe proxy_fast \
        --trials 2000 --study "$STUDY" "${workers[@]}"
    ;;
*)
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
