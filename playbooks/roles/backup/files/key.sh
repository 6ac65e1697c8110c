# Makes the key that backups travel with, unless it is there; prints its public half.
set -eu
exec 9>/run/lock/sio-backup-key
flock 9
[ -e /root/.ssh/sio-backup ] || {
    mkdir -p -m 0700 /root/.ssh
    ssh-keygen -q -t ed25519 -N '' -C "backup of $(hostname)" -f /root/.ssh/sio-backup >&2
}
cat /root/.ssh/sio-backup.pub
