#!/bin/sh
# need.sh WHAT PACKAGE WHY: install a Debian package when WHAT is missing, if this is
# root; otherwise say what to install. Never fails: the tests that need it skip.
what=$1 package=$2 why=$3
command -v "$what" >/dev/null 2>&1 && exit 0
# shellcheck disable=SC2086
ls $what >/dev/null 2>&1 && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	echo "Installing $package for the $why"
	export DEBIAN_FRONTEND=noninteractive
	apt-get install -y -qq "$package" >/dev/null 2>&1 ||
		{ apt-get update -qq && apt-get install -y -qq "$package" >/dev/null; } ||
		echo "$package could not be installed; the $why will be skipped"
else
	echo "Without $package the $why are skipped. On Debian: apt-get install $package"
fi
exit 0
