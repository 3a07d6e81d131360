# packaging/conan makes a package, without a network: what weft needs is said to be there, as it is. The
# recipe's own test builds a program against the package and runs it. WEFT_CONAN_KERNELS: also with weft::kernels,
# which is compiled for a minute more.
need(CONAN conan)
need(PKG_CONFIG pkg-config pkgconf)
set(there "")
foreach(pair IN ITEMS eigen:eigen3 zlib:zlib nlohmann_json:nlohmann_json)
    string(REPLACE ":" ";" pair "${pair}")
    list(GET pair 0 package)
    list(GET pair 1 name)
    execute_process(
        COMMAND "${PKG_CONFIG}" --modversion ${name} OUTPUT_VARIABLE version RESULT_VARIABLE missing
        OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET
    )
    if(missing)
        message(STATUS "skipped: pkg-config does not know ${name}")
        return()
    endif()
    string(APPEND there "${package}/${version}\n")
endforeach()

set(ENV{CONAN_HOME} "${WORK}/home")
set(ENV{CXX} "${CXX}")
run("${CONAN}" profile detect)
file(READ "${WORK}/home/profiles/default" profile)
file(WRITE "${WORK}/profile" "${profile}\n[platform_requires]\n${there}")
set(choices False)
if(DEFINED ENV{WEFT_CONAN_KERNELS})
    list(APPEND choices True)
endif()
foreach(kernels IN LISTS choices)
    run("${CONAN}" create "${WEFT}/packaging/conan" --no-remote "--profile:all=${WORK}/profile"
        --settings:all compiler.cppstd=20 --settings:all build_type=Debug --options "weft/*:kernels=${kernels}"
        --conf "tools.cmake.cmake_layout:test_folder=${WORK}/test_${kernels}"
        --conf "tools.cmake.cmaketoolchain:user_presets="
    )
endforeach()
