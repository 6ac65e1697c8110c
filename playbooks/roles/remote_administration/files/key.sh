# Makes the key of the administrators, unless it is there; prints its public half.
set -eu
umask 077
[ -e /root/.ssh/id_ed25519 ] || {
    mkdir -p /root/.ssh
    ssh-keygen -q -t ed25519 -N '' -C "administration, from $(hostname)" -f /root/.ssh/id_ed25519 >&2
}
cat /root/.ssh/id_ed25519.pub
