# Shell functions that the scripts of this folder share. Source it after setting `root` to the repository.
# Everything built lies below $root/build; one lock there keeps concurrent invocations apart.

# Debian packages that building and testing need.
packages=(
  g++ cmake ninja-build pkg-config
  libsystemc-dev nlohmann-json3-dev libspdlog-dev libboost-graph-dev libcli11-dev libeigen3-dev
  libsqlitecpp-dev libsqlite3-dev zlib1g-dev libonnx-dev libprotobuf-dev
  catch2 librapidcheck-dev
)

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
say_on_terminal() { if [ -t 2 ]; then say "$@"; fi; }

# Installs what is missing of `packages` (as root) or says what to install (exit 2). The answer "all there" is kept in a
# stamp file; without dpkg (another distribution) nothing is checked and CMake reports what it misses.
ensure_packages() {
  local stamp=$root/build/packages.stamp missing=() package
  command -v dpkg-query >/dev/null || return 0
  if [ -f "$stamp" ] && [ "$(<"$stamp")" = "${packages[*]}" ]; then return 0; fi
  for package in "${packages[@]}"; do
    case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true) in
      *installed*) ;;
      *) missing+=("$package") ;;
    esac
  done
  if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" -ne 0 ]; then
      say "missing packages; install them as root: apt-get install ${missing[*]}"
      exit 2
    fi
    say_on_terminal "installing ${missing[*]}"
    run_logged install_packages "${missing[@]}" || { say "could not install: ${missing[*]}"; exit 2; }
  fi
  printf '%s' "${packages[*]}" >"$stamp.$$" && mv "$stamp.$$" "$stamp"
}

install_packages() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get update && apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=600 "$@"
}

# Runs a command with its output in build/build.log; shows that output on stderr where the command fails.
run_logged() {
  local code=0
  "$@" >"$root/build/build.log" 2>&1 </dev/null || code=$?
  if [ $code -ne 0 ]; then cat "$root/build/build.log" >&2; fi
  return $code
}

# True where nothing that goes into <target> changed since <preset> was last built: no file or folder is newer than
# the stamp, which also names the place of the repository (the path is compiled in).
is_current() {
  local preset=$1 target=$2 stamp=$root/build/$1/$2.stamp inputs=(CMakeLists.txt CMakePresets.json cmake app) folder
  [ -f "$stamp" ] && [ "$(<"$stamp")" = "$root" ] && [ -x "$root/build/$preset/accsim" ] || return 1
  for folder in model sched sim .git/logs/HEAD; do
    if [ -e "$root/$folder" ]; then inputs+=("$folder"); fi
  done
  if [ "$target" = all ]; then inputs+=(tests); fi
  [ -z "$(cd "$root" && find "${inputs[@]}" -newer "$stamp" -print -quit)" ]
}

# Configures where needed and builds. A change made while the build runs is newer than the stamp and so is seen next time.
build_target() {
  local preset=$1 target=$2 dir=$root/build/$1 stamp generator=()
  mkdir -p "$dir"
  stamp=$(mktemp "$root/build/stamp.XXXXXX")
  printf '%s' "$root" >"$stamp" && chmod 644 "$stamp"
  if [ -f "$dir/CMakeCache.txt" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$dir/CMakeCache.txt"; then
    rm -rf "$dir" && mkdir -p "$dir"  # the repository was moved or copied
  fi
  if { [ ! -f "$dir/build.ninja" ] && [ ! -f "$dir/Makefile" ]; } || [ CMakePresets.json -nt "$dir/CMakeCache.txt" ]; then
    command -v ninja >/dev/null || generator=(-G 'Unix Makefiles')
    (cd "$root" && cmake --preset "$preset" "${generator[@]}") || { rm -f "$stamp"; return 1; }
  fi
  cmake --build "$dir" --target "$target" -j "$(nproc)" || { rm -f "$stamp"; return 1; }
  if [ "$target" = all ]; then cp -p "$stamp" "$dir/accsim.stamp"; fi
  mv "$stamp" "$dir/$target.stamp"
}

# ensure_built <preset> <target>: installs, configures and builds what is needed; returns at once where nothing is.
# Returns non-zero where the build fails, its output then stands on stderr.
ensure_built() {
  local preset=$1 target=$2
  if is_current "$preset" "$target"; then return 0; fi
  mkdir -p "$root/build" || return 1
  (
    flock 9
    if is_current "$preset" "$target"; then exit 0; fi
    ensure_packages
    say_on_terminal "building ($preset)"
    run_logged build_target "$preset" "$target"
  ) 9>"$root/build/lock"
}
