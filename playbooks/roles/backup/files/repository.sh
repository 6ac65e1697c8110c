# Makes the account "borg" and the folder of the repository ($1); standard input: its authorized_keys.
# Says "changed" when it had to.
set -eu
umask 077
home=/var/lib/borg
if ! getent passwd borg >/dev/null; then
    useradd --system --create-home --home-dir $home --shell /bin/sh borg
    echo changed
fi
mkdir -p $home/.ssh
cat >$home/.ssh/new
if cmp -s $home/.ssh/new $home/.ssh/authorized_keys; then
    rm $home/.ssh/new
else
    mv $home/.ssh/new $home/.ssh/authorized_keys
    echo changed
fi
chown -R borg: $home/.ssh
if ! [ -d "$1" ]; then
    install -d -m 0755 "$(dirname "$1")"
    install -d -m 0700 -o borg -g borg "$1"
    echo changed
fi
