# Builds and runs the project in this folder in one of the three ways to use weft, or checks that
# Eigen 5 is found, or that the compiler refuses what it has to:
#   cmake -D WAY=installed|subdirectory|command_line|eigen5|refused -D WORK=<folder> ... -P run.cmake
cmake_minimum_required(VERSION 3.24)

# In the folder for the work, where the programs write their files.
function(run)
    execute_process(
        COMMAND ${ARGV} WORKING_DIRECTORY "${WORK}" COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY
    )
endfunction()

function(configure)
    run("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}" -B "${WORK}/build"
        "-DCMAKE_CXX_COMPILER=${CXX}" "-DCMAKE_CXX_FLAGS=${FLAGS}" ${ARGV}
    )
endfunction()

# build_and_run(<targets, or all> <option of CMake>...)
function(build_and_run targets)
    configure(${ARGN})
    run("${CMAKE_COMMAND}" --build "${WORK}/build" --target ${targets})
    run("${WORK}/build/consumer")
    foreach(part IN ITEMS eigen report data image io kernels cuda)
        if(EXISTS "${WORK}/build/consumer_${part}")
            run("${WORK}/build/consumer_${part}")
        endif()
    endforeach()
endfunction()

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")

if(WAY STREQUAL "installed")
    run("${CMAKE_COMMAND}" --install "${WEFT_BUILD}" --prefix "${WORK}/prefix")
    # Its headers are system headers to the project.
    build_and_run(all "-DCMAKE_PREFIX_PATH=${WORK}/prefix" -DCONSUMER_OPTIMISATION=-O3)
elseif(WAY STREQUAL "subdirectory")
    # The compiled parts are these tests' own, but for one that shows that they come along.
    build_and_run("consumer;consumer_report" "-DWEFT_SOURCE=${WEFT}" -DCONSUMER_OPTIMISATION=-O2)
elseif(WAY STREQUAL "eigen5")
    # A package that says it is Eigen 5, beside whichever there is.
    include(CMakePackageConfigHelpers)
    set(folder "${WORK}/eigen/share/eigen3/cmake")
    file(WRITE "${folder}/Eigen3Config.cmake" "add_library(Eigen3::Eigen INTERFACE IMPORTED)
        target_include_directories(Eigen3::Eigen INTERFACE \"${EIGEN}\")"
    )
    write_basic_package_version_file(
        "${folder}/Eigen3ConfigVersion.cmake" VERSION 5.0.1 COMPATIBILITY SameMajorVersion ARCH_INDEPENDENT
    )
    run("${CMAKE_COMMAND}" --install "${WEFT_BUILD}" --prefix "${WORK}/prefix")
    foreach(way IN ITEMS "-DWEFT_SOURCE=${WEFT}" "-DCMAKE_PREFIX_PATH=${WORK}/prefix")
        file(REMOVE_RECURSE "${WORK}/build")
        configure(${way} "-DEigen3_ROOT=${WORK}/eigen")
        file(STRINGS "${WORK}/build/CMakeCache.txt" found REGEX "^Eigen3_DIR:")
        if(NOT found STREQUAL "Eigen3_DIR:PATH=${folder}")
            message(FATAL_ERROR "${way} does not take Eigen 5: ${found}")
        endif()
    endforeach()
elseif(WAY STREQUAL "command_line")
    set(compile "${CXX}" -std=c++20 -I "${WEFT}/include" -I "${EIGEN}")
    run(${compile} "${CMAKE_CURRENT_LIST_DIR}/main.cpp" -o "${WORK}/consumer")
    run("${WORK}/consumer")
    run(${compile} "${CMAKE_CURRENT_LIST_DIR}/report.cpp" "${WEFT}/src/report/report.cpp"
        "${WEFT}/src/report/tensorboard_logger.cpp" -o "${WORK}/consumer_report"
    )
    run("${WORK}/consumer_report")
elseif(WAY STREQUAL "refused")
    # refuse(<what the error has to say> <statements>)
    function(refuse expected statements)
        file(WRITE "${WORK}/refused.cpp" "#include <Eigen/Dense>
            #include <weft/weft.hpp>
            void f(const weft::Sequential<float>& model, const Eigen::MatrixXf& a) { ${statements} }
        ")
        execute_process(
            COMMAND "${CXX}" -std=c++20 -fsyntax-only -I "${WEFT}/include" -isystem "${EIGEN}"
                    "${WORK}/refused.cpp"
            RESULT_VARIABLE code
            ERROR_VARIABLE error
        )
        if(code EQUAL 0 OR NOT error MATCHES "${expected}")
            message(FATAL_ERROR "expected \"${expected}\" of: ${statements}\n${error}")
        endif()
    endfunction()
    refuse("weft's tensors are row-major" "model.predict(a);")
    refuse("an Eigen expression has no memory" "model.predict(2 * a);")
    refuse("another number type than the model" "model.predict(Eigen::VectorXd(3));")
    refuse("another number type than the model" "model.predict(weft::Tensor<double>({3}));")
else()
    message(FATAL_ERROR "WAY is '${WAY}'")
endif()
