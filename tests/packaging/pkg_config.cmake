# Installed, moved, and found by pkg-config: it says the version, what weft needs, and where sources lie.
need(PKG_CONFIG pkg-config pkgconf)
execute_process(COMMAND "${PKG_CONFIG}" --exists eigen3 RESULT_VARIABLE missing)
if(missing)
    message(STATUS "skipped: pkg-config does not know Eigen")
    return()
endif()
run("${CMAKE_COMMAND}" --install "${WEFT_BUILD}" --prefix "${WORK}/first")
file(RENAME "${WORK}/first" "${WORK}/prefix with a space")
set(ENV{PKG_CONFIG_PATH} "${WORK}/prefix with a space/share/pkgconfig")

set(package weft)
function(ask variable)
    execute_process(
        COMMAND "${PKG_CONFIG}" ${ARGN} ${package} OUTPUT_VARIABLE answer OUTPUT_STRIP_TRAILING_WHITESPACE
                COMMAND_ERROR_IS_FATAL ANY
    )
    set(${variable} "${answer}" PARENT_SCOPE)
endfunction()

ask(version --modversion)
file(STRINGS "${WEFT}/include/weft/version.hpp" line REGEX "define WEFT_VERSION \"")
if(NOT line MATCHES "\"${version}\"")
    message(FATAL_ERROR "pkg-config says that weft is ${version}")
endif()
ask(flags --cflags --libs)
separate_arguments(flags UNIX_COMMAND "${flags}")
ask(sources --variable=sourcedir)
separate_arguments(sources UNIX_COMMAND "${sources}")
if(NOT EXISTS "${sources}/report/report.cpp")
    message(FATAL_ERROR "sourcedir is ${sources}")
endif()
run("${CXX}" -std=c++20 "${consumer}/main.cpp" ${flags} -o consumer)
run("${WORK}/consumer")

# The compiled kernels, where they were built.
if(EXISTS "${WORK}/prefix with a space/share/pkgconfig/weft-kernels.pc")
    set(package weft-kernels)
    ask(flags --cflags --libs)
    separate_arguments(flags UNIX_COMMAND "${flags}")
    run("${CXX}" -std=c++20 "${consumer}/main.cpp" ${flags} -o consumer_kernels)
    run("${WORK}/consumer_kernels")
endif()
