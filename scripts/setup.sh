# Sourced by the run scripts: installs what a build needs, builds, and finds or gets the data.
# Whatever is there already is left alone, so a second run does nothing here.

weft_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

weft_say() { echo "weft: $*" >&2; }
weft_fail() {
    weft_say "$@"
    exit 1
}

# ---- Packages ----------------------------------------------------------------------------------

weft_build_packages=(g++ make cmake libeigen3-dev zlib1g-dev libcli11-dev nlohmann-json3-dev libpng-dev libturbojpeg0-dev)

weft_has_apt() { command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; }

# weft_has_package <package>: by its name in Debian. A tool may also come from elsewhere.
weft_has_package() {
    case $1 in
        g++) command -v "${CXX:-c++}" >/dev/null ;;
        cmake | make) command -v "$1" >/dev/null ;;
        *) [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]] ;;
    esac
}

# weft_apt_knows <package> [command]...: whether apt, by way of the command, has a package of just this name. A
# name it does not know, such as g++-99, is an expression to apt-get, which installs whatever matches.
weft_apt_knows() {
    local package=$1
    shift
    "$@" apt-cache pkgnames "$package" | grep -xF "$package" >/dev/null
}

# weft_apt_install <package>...: installs those that are missing. Fails when it cannot.
weft_apt_install() {
    local package missing=()
    for package in "$@"; do
        weft_has_package "$package" || missing+=("$package")
    done
    [[ ${#missing[@]} -gt 0 ]] || return 0

    local as_root=()
    if [[ $(id -u) -ne 0 ]]; then
        if ! command -v sudo >/dev/null; then
            weft_say "not installed, and only root can: apt-get install ${missing[*]}"
            return 1
        fi
        as_root=(sudo)
    fi
    as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300)
    weft_say "installing ${missing[*]}"
    "${as_root[@]}" update >&2 || weft_say "apt-get update failed; trying with the lists there are"
    for package in "${missing[@]}"; do
        weft_apt_knows "$package" || { weft_say "apt knows no package $package" && return 1; }
    done
    "${as_root[@]}" install --no-install-recommends "${missing[@]}" >&2
}

# weft_require <package>...: the build packages and those named, by their names in Debian. Where
# there is no apt-get, checks for what CMake cannot fetch by itself.
weft_require() {
    if weft_has_apt; then
        weft_apt_install "${weft_build_packages[@]}" "$@" ||
            weft_fail "install what is missing, then run this again"
    elif ! weft_has_tools; then
        weft_say "install these, then run this again:"
        weft_say "  needed: a C++20 compiler (g++ 12, clang 14 or newer), make, CMake 3.24, zlib"
        weft_say "  better installed too, else fetched: Eigen 3.4 to 5, CLI11, nlohmann-json, doctest"
        weft_say "  for pictures, else left out: libpng, libjpeg-turbo"
        weft_say "  Fedora: sudo dnf install gcc-c++ make cmake zlib-devel eigen3-devel cli11-devel json-devel doctest-devel libpng-devel turbojpeg-devel"
        weft_say "  Arch:   sudo pacman -S gcc make cmake zlib eigen cli11 nlohmann-json doctest libpng libjpeg-turbo"
        weft_say "  macOS:  brew install cmake eigen cli11 nlohmann-json doctest libomp libpng jpeg-turbo"
        exit 1
    fi
    local version
    version=$(cmake --version | sed -n '1s/[^0-9]*\([0-9.]*\).*/\1/p')
    [[ $(printf '%s\n' 3.24 "$version" | sort -V | head -n 1) == 3.24 ]] ||
        weft_fail "CMake is $version, weft needs 3.24: install a newer one, as with: pip install cmake"
}

weft_has_tools() {
    local compiler=${CXX:-c++}
    command -v cmake make "$compiler" >/dev/null &&
        echo '#include <zlib.h>' | "$compiler" -x c++ -fsyntax-only - 2>/dev/null
}

# weft_find_nvcc: prints where CUDA's compiler is, of version 12 or later. Fails where there is none.
weft_find_nvcc() {
    local nvcc
    for nvcc in "${CUDACXX:-nvcc}" /usr/local/cuda/bin/nvcc; do
        nvcc=$(command -v "$nvcc") || continue
        "$nvcc" --version | grep -Eq 'release (1[2-9]|[2-9][0-9])\.' || continue
        echo "$nvcc"
        return
    done
    return 1
}

# ---- Building ----------------------------------------------------------------------------------

weft_jobs=${CMAKE_BUILD_PARALLEL_LEVEL:-$(getconf _NPROCESSORS_ONLN)}

# weft_configure <build folder> <cmake option>...: once; later, the build itself sees what changed.
weft_configure() {
    local build=$1 cache=$1/CMakeCache.txt fresh=()
    shift
    if [[ -f $cache ]]; then
        # The tree was moved or copied: what is in the folder belongs to another one.
        grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$weft_root" "$cache" || fresh=(--fresh)
    fi
    if [[ ${#fresh[@]} -gt 0 || ! -f $build/configured || $weft_root/CMakePresets.json -nt $build/configured ]]; then
        (cd "$weft_root" && cmake ${fresh[@]+"${fresh[@]}"} -B "$build" "$@") &&
            touch "$build/configured"
    fi
}

# ---- Fashion-MNIST -----------------------------------------------------------------------------

weft_data_cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/weft/fashion-mnist
weft_data_url=${WEFT_FASHION_MNIST_URL:-http://fashion-mnist.s3-website.eu-central-1.amazonaws.com}
# The SHA-256 of the four published files.
weft_data_files=(
    "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84 train-images-idx3-ubyte.gz"
    "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845 train-labels-idx1-ubyte.gz"
    "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073 t10k-images-idx3-ubyte.gz"
    "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5 t10k-labels-idx1-ubyte.gz"
)

# weft_has_data <folder>: whether the four files are there, compressed or not, under either name.
weft_has_data() {
    local stem
    for stem in train-images{-,.}idx3 train-labels{-,.}idx1 t10k-images{-,.}idx3 t10k-labels{-,.}idx1; do
        [[ ! -f $1/$stem-ubyte && ! -f $1/$stem-ubyte.gz ]] || echo "${stem%?idx?}"
    done | sort -u | wc -l | grep -qx ' *4'
}

# weft_get_data: makes sure that the library finds Fashion-MNIST by itself: installs Debian's
# package, else downloads the files to the user's cache. Fails when neither works.
weft_get_data() {
    [[ -z ${WEFT_DATA:-} ]] || return 0
    local folder
    for folder in /usr/share/datasets/fashion-mnist "$weft_data_cache"; do
        ! weft_has_data "$folder" || return 0
    done
    if weft_has_apt && weft_apt_install dataset-fashion-mnist; then
        return 0
    fi
    weft_say "downloading Fashion-MNIST (30 MB) to $weft_data_cache"
    local line
    for line in "${weft_data_files[@]}"; do
        weft_download "${line#* }" "${line%% *}" || return 1
    done
}

# weft_download <file> <sha256>: a file is put in place only when it is whole.
weft_download() (
    [[ ! -f $weft_data_cache/$1 ]] || exit 0
    mkdir -p "$weft_data_cache" && partial=$(mktemp "$weft_data_cache/.$1.XXXXXX") ||
        weft_fail "cannot write to $weft_data_cache"
    trap 'rm -f "$partial"' EXIT
    if command -v curl >/dev/null; then
        curl -fsSL --retry 3 -o "$partial" "$weft_data_url/$1"
    elif command -v wget >/dev/null; then
        wget -q -O "$partial" "$weft_data_url/$1"
    else
        weft_fail "needs curl or wget to download $weft_data_url/$1"
    fi || weft_fail "could not download $weft_data_url/$1"
    sum=$(if command -v sha256sum >/dev/null; then sha256sum "$partial"; else shasum -a 256 "$partial"; fi)
    [[ ${sum%% *} == "$2" ]] || weft_fail "$weft_data_url/$1 has the wrong checksum"
    chmod 644 "$partial" && mv -f "$partial" "$weft_data_cache/$1"
)

# ---- Tools in one version ------------------------------------------------------------------------

# weft_tool <name> <version>: prints the path of a tool of LLVM's in that version, for each version has
# rules of its own. It comes from PyPI, into build/tools, where the one installed is another. Status 69:
# it cannot be had.
weft_tool() {
    local tool folder=$weft_root/build/tools
    for tool in "$1" "$folder/bin/$1"; do
        [[ $("$tool" --version 2>/dev/null) != *" version $2"* ]] || { command -v "$tool" && return; }
    done
    weft_say "getting $1 $2"
    { [[ -x $folder/bin/pip ]] || python3 -m venv "$folder"; } >&2 &&
        "$folder/bin/pip" install -q "$1==$2" >&2 && echo "$folder/bin/$1" ||
        { weft_say "$1 $2 cannot be had from PyPI" && return 69; }
}
