# Makes the account "netadmin": whoever may log in as root may log in as it, and finds the router's command line.
# Says "changed" when it had to.
set -eu
umask 077
home=/var/lib/netadmin
if ! getent passwd netadmin >/dev/null; then
    useradd --system --create-home --home-dir $home --shell /usr/bin/vtysh --groups frrvty netadmin
    echo changed
fi
mkdir -p $home/.ssh
if ! cmp -s /root/.ssh/authorized_keys $home/.ssh/authorized_keys; then
    cp /root/.ssh/authorized_keys $home/.ssh/authorized_keys
    chown -R netadmin: $home/.ssh
    echo changed
fi
