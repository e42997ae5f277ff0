#!/usr/bin/env bash
# Sees to it that Erlang/OTP and Elixir are there for the tests that talk to real nodes, what their C and Java nodes
# are built with, what cuts networks in two, and the browser that the codec runs in.
#
#   scripts/install-otp.sh          installs what is missing (root on Debian or Ubuntu), saying so
#   BEAMPEER_INSTALL=0 …            installs nothing
#
# Where it may not or cannot install, it names the packages and fails: tests are not skipped silently.
set -euo pipefail

packages=(erlang-base erlang-dev erlang-crypto erlang-ssl erlang-tools erlang-runtime-tools erlang-eunit elixir
  erlang-jinterface default-jdk-headless gcc libc6-dev iproute2 chromium)

missing=()
for program in erl epmd elixir cc javac ip; do
  PATH=$PATH:/usr/sbin:/sbin command -v "$program" > /dev/null || missing+=("$program")
done
command -v "${BEAMPEER_CHROMIUM:-chromium}" > /dev/null || command -v chromium-browser > /dev/null ||
  command -v google-chrome > /dev/null || missing+=(chromium)
# erl_call comes with erl_interface (erlang-dev), which has it on the PATH or next to its library.
if ! command -v erl_call > /dev/null && ! compgen -G '/usr/lib/erlang/lib/erl_interface-*/bin/erl_call' > /dev/null; then
  missing+=(erl_call)
fi
if [ ! -e /usr/share/java/OtpErlang.jar ] && ! compgen -G '/usr/lib/erlang/lib/jinterface*/priv/OtpErlang.jar' > /dev/null; then
  missing+=(OtpErlang.jar)
fi
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "${BEAMPEER_INSTALL:-1}" = 0 ]; then
  reason='BEAMPEER_INSTALL=0 forbids installing it'
elif ! command -v apt-get > /dev/null; then
  reason='only Debian and its relatives are known to this script'
elif [ "$(id -u)" -ne 0 ]; then
  reason='installing it takes root'
else
  echo "beampeer: the tests need Erlang/OTP, Elixir, a C compiler, a JDK, iproute2 and Chromium; missing: ${missing[*]}; installing ${packages[*]} with apt-get" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q >&2
  apt-get install -q -y --no-install-recommends "${packages[@]}" >&2
  exit 0
fi

cat >&2 << MESSAGE
beampeer: the tests need Erlang/OTP, Elixir, a C compiler, a JDK, iproute2 and Chromium. Missing: ${missing[*]} ($reason).
  Debian, Ubuntu   sudo apt-get install ${packages[*]}
  Fedora           sudo dnf install erlang erlang-jinterface elixir java-latest-openjdk-devel gcc chromium
  macOS            brew install erlang elixir openjdk chromium
MESSAGE
exit 1
