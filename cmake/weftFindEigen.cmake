# weft_find_eigen([GLOBAL])
#
# Finds Eigen 3.4 to 5.x, the target Eigen3::Eigen: where Eigen3_DIR says, else anywhere, there a 5.x
# before a 3.4. One find_package cannot ask for both: 3.4 says of a range that spans two major
# versions that it is not compatible.
macro(weft_find_eigen)
    set(weft_eigen_folder "${Eigen3_DIR}")
    foreach(weft_eigen_place IN ITEMS "PATHS;${weft_eigen_folder};NO_DEFAULT_PATH" "")
        foreach(weft_eigen_version IN ITEMS 5 3.4)
            if(NOT TARGET Eigen3::Eigen)
                find_package(Eigen3 ${weft_eigen_version} QUIET ${ARGN} ${weft_eigen_place})
            endif()
        endforeach()
    endforeach()
endmacro()
