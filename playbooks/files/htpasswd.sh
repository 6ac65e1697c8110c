# Writes the password file $1, which the group $2 may read; standard input: "login:password" lines.
# Says "changed" when it had to. For labs without a directory.
set -eu
umask 077
new=$(mktemp "$1.XXXXXX")
while IFS=: read -r login password; do
    [ -n "$login" ] || continue
    # A salt that never changes, yet differs for each account and machine: the same file each time.
    salt=$(printf '%s' "$login@$(hostname)" | sha256sum | cut -c 1-16)
    hash=$(printf '%s\n' "$password" | openssl passwd -6 -salt "$salt" -stdin)
    printf '%s:%s\n' "$login" "$hash"
done >"$new"
chgrp "$2" "$new"
chmod 0640 "$new"
if cmp -s "$new" "$1"; then
    rm "$new"
else
    mv "$new" "$1"
    echo changed
fi
