# What Doxygen reads of a header: lines of a comment that are indented, formulas and code, stay as they are.
function leave() {
    if (inside) print indent "///"
    inside = 0
}
{
    is_comment = match($0, /^ *\/\/\//)
    text = is_comment ? substr($0, RLENGTH + 1) : ""
    if (is_comment && text ~ /^   / && !in_item) {
        if (!inside) {
            indent = substr($0, 1, RLENGTH - 3)
            print indent "///"
        }
        inside = 1
        print indent "///    " text
        next
    }
    leave()
    if (is_comment && text ~ /^ (-|\*|[0-9]+\.) /) in_item = 1
    else if (!is_comment || text !~ /^   /) in_item = 0
    print
}
