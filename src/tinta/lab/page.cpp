#include "tinta/lab/page.h"

#include <openssl/evp.h>

#include "tinta/core/file.h"

namespace tinta::lab {
namespace fs = std::filesystem;
namespace {

constexpr const char* kStyle = R"css(
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: #1a1a1a; background: #fff; }
h1 { font-size: 1.8rem; } h2 { margin-top: 3rem; border-top: 1px solid #ccc; padding-top: 1rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.85rem; margin: 1rem 0; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.6rem 0.25rem 0;
         border-bottom: 1px solid #ddd; }
img { max-width: 100%; height: auto; display: block; margin: 1rem auto; }
.pass, .holds { color: #1b6e3c; } .fail, .FAILS { color: #b3261e; font-weight: bold; }
.skip { color: #7a5c00; } .source { color: #555; }
@media print { h2 { break-before: page; border: 0; } }
)css";

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string base64(const std::string& bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::string out = "<table>\n";
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const std::string cell = r == 0 ? "th" : "td";
    out += "<tr>";
    for (const std::string& text : rows[r]) {
      const bool verdict = text == "holds" || text == "FAILS";
      out += "<" + cell + (verdict ? " class=\"" + text + "\"" : "") + ">" + escaped(text) + "</" +
             cell + ">";
    }
    out += "</tr>\n";
  }
  return out + "</table>\n";
}

// The vector drawing where there is one; an <img> keeps its ids and styles to itself.
std::string figure(const fs::path& png) {
  fs::path svg = png;
  svg.replace_extension(".svg");
  const bool vector = fs::exists(svg);
  return "<img alt=\"" + escaped(png.stem().string()) + "\" src=\"data:image/" +
         (vector ? "svg+xml" : "png") + ";base64," + base64(read_text(vector ? svg : png)) +
         "\">\n";
}

}  // namespace

std::string html_page(const std::string& verdict, const std::vector<ReportRow>& rows) {
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n"
      "<title>The laboratory of tinta</title>\n<style>" +
      std::string(kStyle) + "</style>\n</head>\n<body>\n<h1>The laboratory of tinta</h1>\n<p>" +
      escaped(verdict) +
      "</p>\n<table>\n<tr><th>row</th><th>verdict</th><th>what it shows</th>"
      "<th>source</th></tr>\n";
  for (const ReportRow& row : rows) {
    out += "<tr><td><a href=\"#" + row.name + "\">" + row.name + "</a></td><td class=\"" +
           escaped(row.status) + "\">" + escaped(row.status) + "</td><td>" + escaped(row.summary) +
           "</td><td>" + escaped(row.source) + "</td></tr>\n";
  }
  out += "</table>\n";
  for (const ReportRow& row : rows) {
    out += "<h2 id=\"" + row.name + "\">" + row.name + ": <span class=\"" + escaped(row.status) +
           "\">" + escaped(row.status) + "</span></h2>\n<p class=\"source\">" +
           escaped(row.summary + " (" + row.source + ")") + "</p>\n<p>" + escaped(row.reading) +
           "</p>\n";
    for (const fs::path& path : row.figures) out += figure(path);
    if (row.checks.size() > 1) out += table(row.checks);
    if (row.numbers.size() > 1) out += table(row.numbers);
  }
  return out + "</body>\n</html>\n";
}

}  // namespace tinta::lab
