# The same by CPM, whose script a project brings along.
find_file(CPM_SCRIPT NAMES CPM.cmake HINTS "$ENV{WEFT_CPM}" PATHS /usr/share/cmake /usr/share/cpm)
if(NOT CPM_SCRIPT)
    message(STATUS "skipped: there is no CPM.cmake; WEFT_CPM can name its folder")
    return()
endif()
include("${CMAKE_CURRENT_LIST_DIR}/fetch_content.cmake")
file(COPY "${CPM_SCRIPT}" DESTINATION "${WORK}/source")
build_app(cpm)
