# Sourced by the scripts here: a bare Debian in a folder, in which programs are installed and run.

# weft_bare_system <folder> <suite>: from the mirror that apt is configured with. Leaves a finished one alone.
# Needs root.
weft_bare_system() {
    [[ ! -f $1/finished ]] || return 0
    [[ $(id -u) -eq 0 ]] || { weft_say "only root can make a bare Debian" && return 1; }
    weft_apt_install debootstrap || return 1
    local mirror
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1)
    rm -rf "$1"
    mkdir -p "$(dirname "$1")"
    weft_say "making a bare Debian $2 in $1"
    debootstrap --variant=minbase "$2" "$1" "${mirror:-http://deb.debian.org/debian}" >"$1.log" 2>&1 ||
        { tail -n 20 "$1.log" >&2 && return 1; }
    # A mirror may be a snapshot, whose lists have expired; they are signed as ever.
    echo 'Acquire::Check-Valid-Until "false";' >"$1/etc/apt/apt.conf.d/90snapshot"
    touch "$1/finished"
}

# weft_in <folder> <command>...: runs it there.
weft_in() {
    local folder=$1
    shift
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive chroot "$folder" "$@"
}
