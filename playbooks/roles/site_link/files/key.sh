# Makes the key of this end of the tunnel, unless it is there; prints its public half.
set -eu
umask 077
exec 9>/run/lock/sio-site-link-key
flock 9
[ -s /etc/wireguard/private.key ] || {
    mkdir -p /etc/wireguard
    wg genkey >/etc/wireguard/private.key.new
    mv /etc/wireguard/private.key.new /etc/wireguard/private.key
}
wg pubkey </etc/wireguard/private.key
