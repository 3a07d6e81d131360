# weft_find_headers(<package>)
#
# Finds one of the header-only packages below. Where it is not installed, fetches the pinned archive
# and makes the target from its headers; the package's own build is left alone.
include_guard()
include(FetchContent)
include("${CMAKE_CURRENT_LIST_DIR}/weftFindEigen.cmake")

set(weft_Eigen3_url https://gitlab.com/libeigen/eigen/-/archive/3.4.0/eigen-3.4.0.tar.gz)
set(weft_Eigen3_sha256 8586084f71f9bde545ee7fa6d00288b264a2b7ac3607b974e54d13e7162c1c72)
set(weft_Eigen3_target Eigen3::Eigen)
set(weft_Eigen3_include .)

set(weft_CLI11_version 2.1)
set(weft_CLI11_url https://github.com/CLIUtils/CLI11/archive/refs/tags/v2.4.2.tar.gz)
set(weft_CLI11_sha256 f2d893a65c3b1324c50d4e682c0cdc021dd0477ae2c048544f39eed6654b699a)
set(weft_CLI11_target CLI11::CLI11)
set(weft_CLI11_include include)

set(weft_doctest_version 2.4)
set(weft_doctest_url https://github.com/doctest/doctest/archive/refs/tags/v2.4.11.tar.gz)
set(weft_doctest_sha256 632ed2c05a7f53fa961381497bf8069093f0d6628c5f26286161fbd32a560186)
set(weft_doctest_target doctest::doctest)
set(weft_doctest_include .)

set(weft_nlohmann_json_version 3.7)
set(weft_nlohmann_json_url https://github.com/nlohmann/json/releases/download/v3.11.3/json.tar.xz)
set(weft_nlohmann_json_sha256 d6c65aca6b1ed68e7a182f4757257b107ae403032760ed6ef121c9d55e81757d)
set(weft_nlohmann_json_target nlohmann_json::nlohmann_json)
set(weft_nlohmann_json_include include)

# Targets are made GLOBAL: a project that adds weft as a subdirectory links weft::weft from its own
# folder, and what weft links to has to be known there too.
function(weft_find_headers package)
    set(target ${weft_${package}_target})
    if(package STREQUAL "Eigen3")
        weft_find_eigen(GLOBAL)
    elseif(NOT TARGET ${target})
        find_package(${package} ${weft_${package}_version} QUIET GLOBAL)
    endif()
    if(TARGET ${target})
        return()
    endif()

    message(STATUS "weft: ${package} is not installed, fetching ${weft_${package}_url}")
    string(TOLOWER "weft_${package}" content)
    FetchContent_Declare(
        ${content}
        URL ${weft_${package}_url}
        URL_HASH SHA256=${weft_${package}_sha256}
        DOWNLOAD_EXTRACT_TIMESTAMP OFF
        SOURCE_SUBDIR headers-only # a folder that does not exist, so nothing is configured
    )
    FetchContent_MakeAvailable(${content})
    add_library(${target} INTERFACE IMPORTED GLOBAL)
    target_include_directories(
        ${target} INTERFACE "${${content}_SOURCE_DIR}/${weft_${package}_include}"
    )
endfunction()
