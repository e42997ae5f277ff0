#!/usr/bin/env bash
# Sees to what some tests talk to besides Erlang nodes: RabbitMQ, ejabberd, a Java node (JInterface), a C node, a terminal.
#
#   scripts/install-peers.sh rabbitmq|ejabberd|java|c|tmux   installs it where it is missing (root on Debian or
#                                                            Ubuntu), saying so
#   BEAMPEER_INSTALL=0 …                                     installs nothing, and fails naming the packages
set -euo pipefail

case ${1:-} in
  rabbitmq)
    packages=(rabbitmq-server)
    if compgen -G '/usr/lib/rabbitmq/lib/*/sbin/rabbitmq-server' > /dev/null; then exit 0; fi
    ;;
  ejabberd)
    packages=(ejabberd)
    if command -v ejabberdctl > /dev/null; then exit 0; fi
    ;;
  java)
    packages=(erlang-jinterface default-jdk-headless)
    if command -v javac > /dev/null && [ -e /usr/share/java/OtpErlang.jar ]; then exit 0; fi
    ;;
  c)
    packages=(gcc libc6-dev erlang-dev)
    if command -v cc > /dev/null; then exit 0; fi
    ;;
  tmux)
    packages=(tmux)
    if command -v tmux > /dev/null; then exit 0; fi
    ;;
  *)
    echo 'usage: install-peers.sh rabbitmq|ejabberd|java|c|tmux' >&2
    exit 2
    ;;
esac

if [ "${BEAMPEER_INSTALL:-1}" = 0 ] || ! command -v apt-get > /dev/null || [ "$(id -u)" -ne 0 ]; then
  echo "beampeer: this test needs ${packages[*]} (Debian, Ubuntu: sudo apt-get install ${packages[*]})" >&2
  exit 1
fi
# Test files run side by side, and apt-get does not wait for another.
exec 9> "${TMPDIR:-/tmp}/beampeer-apt.lock"
flock 9
echo "beampeer: this test needs $1; installing ${packages[*]} with apt-get" >&2
# At run level 1 the packages start no service: tests start their own.
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
apt-get update -q >&2
apt-get install -q -y --no-install-recommends "${packages[@]}" >&2
