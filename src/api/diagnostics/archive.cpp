#include "api/diagnostics/archive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/zlib/deflate_stream.hpp>
#include <boost/crc.hpp>
#include <numeric>
#include <string_view>

namespace tributary::api {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kMostName = 100;

std::int64_t seconds_of(UtcTime time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

// The head of one file (POSIX.1-1988, ustar): numbers are octal text.
std::string header_of(const ArchiveFile& file, UtcTime modified) {
  std::string head(kBlock, '\0');
  const auto put = [&](std::size_t at, std::string_view text) {
    std::ranges::copy(text, head.begin() + static_cast<std::ptrdiff_t>(at));
  };
  put(0, std::string_view(file.name).substr(0, kMostName));
  put(100, "0000600");
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", file.content.size()));
  put(136, fmt::format("{:011o}", seconds_of(modified)));
  put(148, "        ");  // the sum is made with blanks in its place
  put(156, "0");
  put(257, std::string_view("ustar\00000", 8));
  const int sum = std::accumulate(head.begin(), head.end(), 0, [](int total, char c) {
    return total + static_cast<unsigned char>(c);
  });
  put(148, fmt::format("{:06o}", sum));
  head[154] = '\0';
  return head;
}

std::string make_tar(const std::vector<ArchiveFile>& files, UtcTime modified) {
  std::string tar;
  for (const ArchiveFile& file : files) {
    tar += header_of(file, modified);
    tar += file.content;
    tar.resize((tar.size() + kBlock - 1) / kBlock * kBlock, '\0');
  }
  return tar.append(2 * kBlock, '\0');
}

void put_little_endian(std::string& text, std::uint32_t number) {
  for (int shift = 0; shift < 32; shift += 8) text += static_cast<char>(number >> shift);
}

std::string deflate(std::string_view text) {
  namespace zlib = boost::beast::zlib;
  zlib::deflate_stream stream;
  std::string packed(stream.upper_bound(text.size()), '\0');
  zlib::z_params buffers;
  buffers.next_in = text.data();
  buffers.avail_in = text.size();
  buffers.next_out = packed.data();
  buffers.avail_out = packed.size();
  // All of it fits, so one call is all of it: the only code is the end of the stream.
  boost::system::error_code end;
  stream.write(buffers, zlib::Flush::finish, end);
  packed.resize(buffers.total_out);
  return packed;
}

}  // namespace

std::string make_tar_gz(const std::vector<ArchiveFile>& files, UtcTime modified) {
  const std::string tar = make_tar(files, modified);
  std::string gzip("\x1f\x8b\x08\x00", 4);  // deflate, no name
  put_little_endian(gzip, static_cast<std::uint32_t>(seconds_of(modified)));
  gzip += std::string_view("\x00\xff", 2);  // no system in particular
  gzip += deflate(tar);
  boost::crc_32_type crc;
  crc.process_bytes(tar.data(), tar.size());
  put_little_endian(gzip, crc.checksum());
  put_little_endian(gzip, static_cast<std::uint32_t>(tar.size()));
  return gzip;
}

}  // namespace tributary::api
