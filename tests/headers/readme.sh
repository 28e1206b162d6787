#!/bin/sh
# readme.sh BUILD README: what README shows compiles without a warning, and runs where it
# is a program or a command: the programs give the sum that they promise.
set -eu
build=$1 readme=$2
include=$(dirname "$readme")/libdwq/include
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export PKG_CONFIG_PATH="$build/meson-uninstalled" LD_LIBRARY_PATH="$build"
cflags=$(pkg-config --cflags libdwq)
libs=$(pkg-config --libs libdwq)
warnings='-Wall -Wextra -Werror'

# shown FENCE: the block that begins with ```FENCE.
shown() {
    sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/p" "$readme" | sed '/^```/d'
}

# sums NAME: such a program.
sums() {
    "./$1" >out
    cat out
    grep -qx 'sum 55' out
}

shown c >prog.c
${CC:-cc} -std=c11 $warnings prog.c $cflags $libs -o prog
sums prog

if command -v g++ >/dev/null; then
    shown cpp >prog.cpp
    g++ -std=c++17 $warnings prog.cpp -DOMPI_SKIP_MPICXX $cflags $libs -o prog_cxx
    sums prog_cxx
fi

if command -v gfortran >/dev/null; then
    shown fortran >prog.f90
    gfortran -Wall -Werror -Wno-unused-dummy-argument "$include/dwq/dwq.f90" \
        prog.f90 $libs -o prog_fortran
    sums prog_fortran
fi

# The modules, against what they use of these libraries.
mkdir lammps
cat >lammps/library.h <<'EOF'
#ifdef LAMMPS_LIB_MPI
void *lammps_open(int argc, char **argv, MPI_Comm comm, void **handle_out);
#endif
void lammps_file(void *handle, const char *file);
double lammps_get_thermo(void *handle, const char *keyword);
void lammps_close(void *handle);
EOF
cat >petscsys.h <<'EOF'
extern MPI_Comm PETSC_COMM_WORLD;
int PetscInitialize(int *argc, char ***argv, const char *file, const char *help);
int PetscFinalize(void);
EOF
for module in md petsc; do
    shown "c module $module" >$module.c
    [ -s $module.c ]
    case $libs in
    *-lmpi*) ${CC:-cc} -std=c11 $warnings -shared -fPIC -I. $module.c $cflags -o $module.so ;;
    esac
done

# The plan of the section on OpenMP: groups of two ranks, each on four cores.
command=$(sed -n 's/^    dwq-plan /dwq-plan /p' "$readme")
[ -n "$command" ]
PATH=$build:$PATH eval "$command" >out
cat out
