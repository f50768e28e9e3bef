# cmake -DTEMPLATE=report.html -DSTYLE=report.css -DSCRIPT=report.js -DOUTPUT=page.h -P EmbedPage.cmake
# Writes a header with the page as one string, style and script in their places; "@DATA@" stays to be replaced by the
# program.
cmake_minimum_required(VERSION 3.25)
file(READ ${TEMPLATE} page)
file(READ ${STYLE} style)
file(READ ${SCRIPT} script)
string(REPLACE "@STYLE@\n" "${style}" page "${page}")
string(REPLACE "@SCRIPT@\n" "${script}" page "${page}")
file(WRITE ${OUTPUT} "// Made by cmake/EmbedPage.cmake of the files in src/report/page/.
#ifndef QLITE_REPORT_PAGE_H_
#define QLITE_REPORT_PAGE_H_

#include <string_view>

namespace qlite::report {

inline constexpr std::string_view kPage = R\"qlite(${page})qlite\";

}  // namespace qlite::report

#endif  // QLITE_REPORT_PAGE_H_
")
