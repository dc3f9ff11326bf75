# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Part of ./dev, which sets ROOT: installs what is missing of packages.txt.

# The names in the given sections of packages.txt.
packages_of() {
  local line section=
  while read -r line; do
    line=${line%%#*}
    line=${line%"${line##*[! ]}"}
    case $line in
      '') ;;
      \[*) section=${line//[\[\]]/} ;;
      *) [[ " $* " != *" $section "* ]] || echo "$line" ;;
    esac
  done <"$ROOT/packages.txt"
}

missing_packages() {
  local package
  packages_of "$@" | sort -u | while read -r package; do
    # shellcheck disable=SC2016 # ${...} is dpkg-query's
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) = installed ]] || echo "$package"
  done
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
    -o DPkg::Lock::Timeout=300 "$@"
}

# The lists may be missing (an image without them) or out of date: they are fetched when the first attempt fails.
apt_install_with_fresh_lists() {
  apt_install "$@" || { as_root apt-get update && apt_install "$@"; }
}

# Whether services are started when they are installed is the policy's word; a machine has none unless somebody wrote it.
POLICY=/usr/sbin/policy-rc.d
forbid_services() {
  [[ ! -e $POLICY ]] || return 0
  as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$POLICY && chmod 755 $POLICY"
  trap 'as_root rm -f "$POLICY"' EXIT
}

# The services and sockets that the next boot starts.
enabled_units() {
  systemctl list-unit-files --state=enabled --type=service,socket --no-legend | cut -d ' ' -f 1 | sort
}

# apt_install_without_services PACKAGE...: what these packages bring is neither started nor enabled.
apt_install_without_services() {
  local units=() before=''
  ! command -v systemctl >/dev/null || before=$(enabled_units)
  forbid_services
  apt_install_with_fresh_lists "$@" || return
  [[ -n $before ]] || return 0
  mapfile -t units < <(comm -13 <(echo "$before") <(enabled_units))
  [[ ${#units[@]} = 0 ]] || as_root systemctl disable "${units[@]}" || say "could not disable ${units[*]}"
}

# need SECTION...: installs what is missing of these sections.
need() {
  local missing install=apt_install_with_fresh_lists
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    die "this is no Debian: install the equivalents of what packages.txt lists under $*, then use cmake --preset dev"
  fi
  mapfile -t missing < <(missing_packages "$@")
  [[ ${#missing[@]} -gt 0 ]] || return 0
  may_be_root || die "not installed: ${missing[*]}. Install them as root (apt-get install ${missing[*]}), or install sudo"
  say "installing ${missing[*]}"
  # The tests start servers themselves.
  if [[ " $* " = *" test "* ]]; then install=apt_install_without_services; fi
  quietly "$install" "${missing[@]}" || die "apt-get cannot install ${missing[*]} (above: why)"
}
