# scripts/single_header.sh makes the same bytes twice, of no other header of weft's. A program of two
# translation units is built of it and runs, with the compiler of the tests; a program of one with each other
# compiler that is there. For Windows it is built alone.
set(script "${WEFT}/scripts/single_header.sh")
find_program(BASH bash)
run("${BASH}" "${script}" "${WORK}/single/weft/weft.hpp")
run("${BASH}" "${script}" "${WORK}/again.hpp")
run("${CMAKE_COMMAND}" -E compare_files "${WORK}/single/weft/weft.hpp" "${WORK}/again.hpp")
file(STRINGS "${WORK}/again.hpp" includes REGEX "# *include *[<\"](weft/|.*\")")
if(includes)
    message(FATAL_ERROR "it includes what is not in it: ${includes}")
endif()

set(options -std=c++20 -I "${WORK}/single" -isystem "${EIGEN}")
run("${CXX}" ${options} -I "${WEFT}" "${WEFT}/tests/umbrella/main.cpp" "${WEFT}/tests/umbrella/other.cpp"
    -o umbrella
)
run("${WORK}/umbrella")
file(STRINGS "${WEFT}/tests/packaging/compilers.txt" others)
list(APPEND others clang++) # one of them, or another
set(seen "")
foreach(other IN LISTS others)
    unset(OTHER)
    find_program(OTHER ${other} NO_CACHE)
    if(OTHER)
        file(REAL_PATH "${OTHER}" real)
        if(real IN_LIST seen)
            continue()
        endif()
        list(APPEND seen "${real}")
        run("${OTHER}" ${options} "${consumer}/main.cpp" -o "${other}.exe")
        if(NOT other MATCHES mingw)
            run("${WORK}/${other}.exe")
        endif()
    endif()
endforeach()

# With a header that weft.hpp has not; and one that is not there is a failure that leaves nothing.
run("${BASH}" "${script}" "${WORK}/csv.hpp" weft/data/csv.hpp)
file(STRINGS "${WORK}/csv.hpp" found REGEX "^// ---- weft/data/csv.hpp ----")
list(LENGTH found count)
execute_process(
    COMMAND "${BASH}" "${script}" "${WORK}/none.hpp" weft/none.hpp RESULT_VARIABLE code ERROR_VARIABLE error
)
file(GLOB left "${WORK}/none.hpp*")
if(NOT count EQUAL 1 OR code EQUAL 0 OR NOT error MATCHES "no header weft/none.hpp" OR left)
    message(FATAL_ERROR "${count} times csv.hpp; of none.hpp: ${code} ${error} ${left}")
endif()
