# Run by mmdebstrap on "$1", the root of the system; "$2" says at which moment.
# Nothing that a package brings starts by itself: a role enables what it configures.
set -eu
root=$1
cd "$root"
sysv=etc/systemd/system-generators/systemd-sysv-generator # masked where each script has a unit of its own

units() {
    # Links of units that are wanted at boot, and scripts of SysV that have no unit of their own.
    find etc/systemd/system -path '*.wants/*' -type l
    find etc/rc?.d -name 'S*' 2>/dev/null || true
}

case "$2" in
    before) units | sort >tmp/units.before ;;
    install)
        # apt runs outside, with mmdebstrap's settings, so that the host's mirror and proxy serve; dpkg runs inside.
        # What a power cut would spoil is built again: nothing has to be on the disk at once.
        shift 2
        APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get --quiet --yes -o Dir::Bin::dpkg=env -o DPkg::Options::=--unset=TMPDIR \
            -o DPkg::Options::=dpkg -o DPkg::Options::=--force-unsafe-io -o "DPkg::Chroot-Directory=$root" install "$@"
        exit
        ;;
    after)
        units | sort | comm -13 tmp/units.before - | while read -r link; do
            case "$link" in
                etc/rc*) chroot . update-rc.d "$(basename "$link" | cut -c4-)" disable ;;
                # May be gone already: update-rc.d disables the unit of the same name too.
                *) rm -f "$link" ;;
            esac
        done
        rm tmp/units.before
        for script in etc/init.d/*; do
            [ -e "usr/lib/systemd/system/$(basename "$script").service" ] || rm -f "$sysv"
        done
        ;;
    base)
        units | while read -r link; do
            case "$(basename "$link")" in
                *.timer) rm "$link" ;; # nothing in a lab downloads updates or trims a disk
            esac
        done
        rm -f etc/ssh/ssh_host_*
        mkdir -p etc/ssh/sshd_config.d root/.ssh etc/sio-lab
        chmod 0700 root/.ssh
        cat >etc/ssh/sshd_config.d/10-sio-lab.conf <<END
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UseDNS no
PrintMotd no
MaxSessions 100
MaxStartups 100
END
        # Addresses come from /etc/network/interfaces. (systemd-networkd waits for udev, which a container lacks.)
        chroot . systemctl -q disable systemd-networkd.service
        # What a container's boot has no use for: devices, modules and file systems are the host's, nobody sits at
        # a console, nobody logs in through logind (no libpam-systemd). Half of the processor time of a boot.
        chroot . systemctl -q mask systemd-modules-load.service kmod-static-nodes.service modprobe@.service \
            systemd-tmpfiles-setup-dev-early.service systemd-tmpfiles-setup-dev.service systemd-remount-fs.service \
            systemd-logind.service systemd-user-sessions.service console-getty.service getty.target \
            ifupdown-pre.service tmp.mount run-lock.mount dev-hugepages.mount dev-mqueue.mount \
            sys-fs-fuse-connections.mount sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount
        # systemd-user-sessions would take away what keeps users out until then: it is not put there.
        mkdir -p etc/tmpfiles.d etc/systemd/system/multi-user.target.wants etc/systemd/system/ssh.service.d
        ln -s /dev/null etc/tmpfiles.d/systemd-nologin.conf
        ln -s /dev/null etc/systemd/system/multi-user.target.wants/dbus.service # its socket starts it when needed
        printf '[Service]\nExecStartPre=\n' >etc/systemd/system/ssh.service.d/sio-lab.conf # it tests itself as it starts
        # Nobody reads it, and each login would run it.
        rm -r etc/update-motd.d
        mkdir -p etc/systemd/system-generators
        for generator in debug fstab getty gpt-auto hibernate-resume rc-local run ssh system-update tpm2; do
            ln -s /dev/null "etc/systemd/system-generators/systemd-$generator-generator"
        done
        ln -s /dev/null "$sysv"
        # Its second command is for devices that are plugged in.
        mkdir -p etc/systemd/system/networking.service.d etc/systemd/system/systemd-sysctl.service.d
        printf '[Service]\nExecStart=\nExecStart=/usr/sbin/ifup -a --read-environment\n' \
            >etc/systemd/system/networking.service.d/sio-lab.conf
        # What only the host's kernel can be told; without it there mostly is nothing to apply.
        rm -f usr/lib/sysctl.d/10-coredump-debian.conf usr/lib/sysctl.d/50-pid-max.conf
        cat >etc/systemd/system/systemd-sysctl.service.d/sio-lab.conf <<END
[Unit]
ConditionPathExistsGlob=|/etc/sysctl.d/*.conf
ConditionPathExistsGlob=|/run/sysctl.d/*.conf
ConditionPathExistsGlob=|/usr/lib/sysctl.d/*.conf
END
        # Told of each interface, for a resolver that is not there.
        chmod -x etc/network/if-*.d/resolved 2>/dev/null || true
        # Nothing public is reached from a lab: it trusts its own authority alone, which is then quick to add.
        sed -i 's/^[^#!]/!&/' etc/ca-certificates.conf
        chroot . update-ca-certificates --fresh >/dev/null
        rm etc/ssl/certs/ca-certificates.crt
        mkdir -p etc/systemd/journald.conf.d
        printf '[Journal]\nSystemMaxUse=32M\nRuntimeMaxUse=16M\n' >etc/systemd/journald.conf.d/sio-lab.conf
        ;;
esac
# Each machine makes its own identity at its first boot (machine-id(5)).
: >etc/machine-id
rm -f var/lib/dbus/machine-id etc/hostname
