#!/usr/bin/env bash
# Other OTP releases for the tests, each in a chroot made from the Debian suite that carries it.
#
#   scripts/chroots.sh                    makes those of OTP 23, 25, 27 and 29 that the host itself does not have (each
#                                         about a minute and 300 MB), keeps what is there
#   scripts/chroots.sh list               prints which these are
#   scripts/chroots.sh install 27         makes one
#   scripts/chroots.sh mount 27           mounts /proc, /sys and /dev of one that is there
#
# BEAMPEER_INSTALL=0 forbids to install anything: then it names what is missing and fails.
# They lie in BEAMPEER_CHROOTS (/var/cache/beampeer), outside the checkout, share the network with the host, and are
# complete when they hold a file `.ok`. Needs root on Debian or Ubuntu.
set -euo pipefail

root=${BEAMPEER_CHROOTS:-/var/cache/beampeer}
mirror=${BEAMPEER_DEBIAN_MIRROR:-http://deb.debian.org/debian}
packages=erlang-base,erlang-crypto,erlang-ssl,erlang-tools,erlang-runtime-tools,erlang-eunit,erlang-dev

suite_of() {
  case $1 in
    23) echo bullseye ;;
    25) echo bookworm ;;
    27) echo trixie ;;
    29) echo sid ;;
    *) echo "chroots.sh: no Debian suite is known for OTP $1 (23, 25, 27 and 29 are)" >&2 && exit 2 ;;
  esac
}

# The releases that are tested against, without the host's own and those that BEAMPEER_OTP_27_BIN and its like name.
list() {
  local erl host= elsewhere
  if erl=$(command -v erl); then host=$(cut -d' ' -f2 "$(dirname "$(readlink -f "$erl")")/../releases/start_erl.data"); fi
  for release in 23 25 27 29; do
    elsewhere=BEAMPEER_OTP_${release}_BIN
    if [ "$release" != "$host" ] && [ -z "${!elsewhere:-}" ]; then echo "$release"; fi
  done
}

refuse() {
  echo "chroots.sh: OTP $1 is not in $root/otp-$1, and $2." >&2
  echo "  BEAMPEER_OTP_$1_BIN=DIRECTORY says where its erl and epmd are, if you have them elsewhere." >&2
  exit 1
}

mount_system() {
  local directory=$root/otp-$1 name
  # Its programs look up this machine's name: without an entry the erl_call of OTP 23 crashes.
  cp /etc/hosts "$directory/etc/hosts"
  for name in proc sys dev; do
    mountpoint -q "$directory/$name" || mount --rbind "/$name" "$directory/$name"
    # What is unmounted in there must not vanish from the host.
    mount --make-rslave "$directory/$name" 2> /dev/null || true
  done
}

install() {
  local release=$1 suite directory=$root/otp-$1
  suite=$(suite_of "$release")
  if [ ! -e "$directory/.ok" ]; then
    if [ "${BEAMPEER_INSTALL:-1}" = 0 ]; then refuse "$release" 'BEAMPEER_INSTALL=0 forbids to install it'; fi
    if ! command -v apt-get > /dev/null; then refuse "$release" 'only Debian and its relatives are known'; fi
    if ! command -v debootstrap > /dev/null; then
      DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends debootstrap debian-archive-keyring >&2
    fi
    echo "chroots.sh: OTP $release from Debian $suite into $directory" >&2
    mkdir -p "$root"
    # An attempt that was broken off is started over, unless something of the host is mounted in it.
    if [ -d "$directory" ] && ! grep -q " $directory/" /proc/mounts; then rm -rf --one-file-system "$directory"; fi
    debootstrap --variant=minbase --include="$packages" "$suite" "$directory" "$mirror" >&2
    chroot "$directory" apt-get clean
    local found
    found=$(cut -d' ' -f2 "$directory/usr/lib/erlang/releases/start_erl.data")
    if [ "$found" != "$release" ]; then
      echo "chroots.sh: Debian $suite carries OTP $found, not $release" >&2
      exit 1
    fi
    touch "$directory/.ok"
  fi
  mount_system "$release"
}

command=${1:-all}
if [ "$command" = list ]; then list && exit; fi

if [ "$(id -u)" -ne 0 ]; then refuse "${2:-$(list | head -n 1)}" 'chroots take root'; fi

# With a lock, so that two runs at once do not build the same chroot twice.
mkdir -p "$root"
exec 9> "$root/.lock"
flock 9

case $command in
  all) for release in $(list); do install "$release"; done ;;
  install | mount)
    suite_of "${2:?which OTP release?}" > /dev/null
    list | grep -qx "$2" || exit 0 # the host's own, or elsewhere
    if [ "$command" = install ]; then install "$2"; else mount_system "$2"; fi
    ;;
  *) sed -n '2,12s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
esac
