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
keys=$home/.ssh/authorized_keys
touch $keys
# Beside the keys of administrators, which a machine of theirs adds.
while read -r key; do
    grep -qxF "$key" $keys || {
        echo "$key" >>$keys
        echo changed
    }
done </root/.ssh/authorized_keys
chown -R netadmin: $home/.ssh
