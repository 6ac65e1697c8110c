# Writes the answers $1; standard input: a password, then the answers, whose word HASH its hash replaces.
# Says "changed" when it had to.
set -eu
read -r password
# A salt that never changes, yet differs for each machine: the same file each time.
salt=$(hostname | sha256sum | cut -c 1-16)
hash=$(printf '%s\n' "$password" | openssl passwd -6 -salt "$salt" -stdin)
mkdir -p "$(dirname "$1")"
new=$(mktemp "$1.XXXXXX")
# The letters of a hash (crypt(5)) mean nothing to sed, but for the slash.
sed "s|HASH|$hash|" >"$new"
chmod 0644 "$new"
if cmp -s "$new" "$1"; then
    rm "$new"
else
    mv "$new" "$1"
    echo changed
fi
