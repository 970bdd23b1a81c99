#!/usr/bin/env bash
# Boots systemd on a copy-on-write view of this machine, in namespaces of its own: what is installed and written there
# touches nothing here. As root: unshare --fork --pid --mount --uts --ipc --cgroup --net --kill-child boot-systemd.sh FOLDER
# FOLDER/give is seen as /give inside.
set -euo pipefail
folder=$1
give=$folder/give

mount --make-rprivate /
mkdir "$folder/view"
mount -t tmpfs tmpfs "$folder/view"
mkdir "$folder/view/upper" "$folder/view/work" "$folder/view/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/view/upper,workdir=$folder/view/work" "$folder/view/root"
root=$folder/view/root

mount -t proc proc "$root/proc"
for name in run tmp dev; do mount -t tmpfs tmpfs "$root/$name"; done
mount --rbind /sys "$root/sys"
for name in null zero random urandom full tty; do
  touch "$root/dev/$name"
  mount --bind "/dev/$name" "$root/dev/$name"
done
mkdir "$root/dev/pts" "$root/dev/shm" "$root/give"
mount -t devpts devpts "$root/dev/pts" -o newinstance,ptmxmode=0666
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
touch "$root/dev/console"
mount --bind "$give" "$root/give"

# The kernel is this machine's: its settings are not this boot's to change. Nor are its other services wanted.
for unit in systemd-sysctl systemd-modules-load systemd-remount-fs; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit.service"
done
# An installation of this machine's own is not what is tested.
rm -rf "$root/etc/tattile" "$root/var/lib/tattile" "$root/usr/local/bin/tattile"
echo "127.0.0.1 localhost" >"$root/etc/hosts"
ip link set lo up

exec chroot "$root" /usr/bin/env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --system --unit=basic.target
