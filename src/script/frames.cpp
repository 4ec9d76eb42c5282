#include "script/frames.hpp"

#include <algorithm>
#include <unordered_map>

namespace tributary::script {
namespace {

using wire::Reader;
using wire::Writer;

constexpr std::size_t kMaxMessageBytes = 4096;
constexpr std::size_t kMaxNodes = 1000;

// A document each time it is pointed at would be sent with every record; this one knows which are
// there already.
class Documents {
 public:
  std::size_t place(const Json* json) {
    if (json == nullptr) return 0;
    const auto [found, added] = places_.try_emplace(json, list_.size() + 1);
    if (added) {
      list_.emplace_back();
      Writer(list_.back()).value(*json);
      bytes_ += list_.back().size();
    }
    return found->second;
  }
  std::size_t bytes() const { return bytes_; }
  const std::vector<std::string>& list() const { return list_; }

 private:
  std::unordered_map<const Json*, std::size_t> places_;
  std::vector<std::string> list_;
  std::size_t bytes_ = 0;
};

void encode_limits(Writer& writer, const Limits& limits) {
  writer.varint(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(limits.cpu).count()));
  writer.varint(limits.memory_bytes);
  writer.varint(limits.stack_bytes);
  writer.varint(limits.output_bytes);
}

void encode_source(Writer& writer, const Source& source) {
  writer.byte(static_cast<std::uint8_t>(source.kind));
  writer.text(source.text);
}

void encode_record(Writer& writer, std::uint64_t number, const Names& names, std::string_view now,
                   Documents& documents) {
  writer.varint(number);
  for (const Json* json : {names.input, names.items, names.trigger, names.item, names.run,
                           names.pipeline, names.env}) {
    writer.varint(documents.place(json));
  }
  writer.varint(names.nodes.size());
  for (const auto& [name, json] : names.nodes) {
    writer.text(name);
    writer.varint(documents.place(json));
  }
  writer.zigzag(names.index);
  writer.text(now);
}

bool decode_sources(Reader& reader, Request& request) {
  std::size_t count = 0;
  if (!reader.count(count, 2) || count > kMaxSources) return false;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint8_t kind = 0;
    std::string_view text;
    if (!reader.byte(kind) || kind > 1 || !reader.text(text)) return false;
    request.sources.emplace_back(static_cast<Source::Kind>(kind), text);
  }
  return true;
}

bool decode_record(Reader& reader, std::size_t documents, RecordRequest& record) {
  if (!reader.varint(record.record)) return false;
  const auto place = [&](std::size_t& out) {
    std::uint64_t number = 0;
    if (!reader.varint(number) || number > documents) return false;
    out = static_cast<std::size_t>(number);
    return true;
  };
  for (std::size_t* out : {&record.input, &record.items, &record.trigger, &record.item, &record.run,
                           &record.pipeline, &record.env}) {
    if (!place(*out)) return false;
  }
  std::size_t nodes = 0;
  if (!reader.count(nodes, 2) || nodes > kMaxNodes) return false;
  for (std::size_t i = 0; i < nodes; ++i) {
    auto& node = record.nodes.emplace_back();
    if (!reader.text(node.first) || !place(node.second)) return false;
  }
  return reader.zigzag(record.index) && reader.text(record.now);
}

bool decode_failure(Reader& reader, Failure& failure) {
  std::uint8_t kind = 0;
  std::string_view message;
  std::uint64_t line = 0;
  std::uint64_t column = 0;
  if (!reader.byte(kind) || kind < 1 || kind > 4 || !reader.text(message) ||
      message.size() > kMaxMessageBytes || !wire::is_utf8(message) || !reader.varint(line) ||
      !reader.varint(column)) {
    return false;
  }
  constexpr std::uint64_t kMost = 1'000'000'000;
  failure.kind = static_cast<FailureKind>(kind);
  failure.message = message;
  failure.line = static_cast<int>(std::min(line, kMost));
  failure.column = static_cast<int>(std::min(column, kMost));
  return true;
}

bool decode_log(Reader& reader, std::vector<std::string>& log) {
  std::size_t lines = 0;
  if (!reader.count(lines, 1) || lines > kMaxLogLines) return false;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < lines; ++i) {
    std::string_view line;
    if (!reader.text(line) || !wire::is_utf8(line)) return false;
    bytes += line.size();
    if (bytes > kMaxLogBytes) return false;
    log.emplace_back(line);
  }
  return true;
}

std::optional<Answer> decode_record_answer(Reader& reader) {
  RecordAnswer answer;
  std::size_t count = 0;
  if (!reader.varint(answer.record) || !reader.count(count, 2) || count > kMaxSources) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < count; ++i) {
    std::uint8_t failed = 0;
    if (!reader.byte(failed) || failed > 1) return std::nullopt;
    if (failed == 1) {
      Failure failure;
      if (!decode_failure(reader, failure)) return std::nullopt;
      answer.outcomes.emplace_back(std::unexpected(std::move(failure)));
      continue;
    }
    Outcome outcome;
    if (!reader.value(outcome.value) || !decode_log(reader, outcome.log)) return std::nullopt;
    answer.outcomes.emplace_back(std::move(outcome));
  }
  return answer;
}

}  // namespace

void write_header(std::string& out, std::size_t start) {
  const std::size_t size = out.size() - start - kHeaderBytes;
  for (std::size_t i = 0; i < kHeaderBytes; ++i) {
    out[start + i] = static_cast<char>((size >> (8 * i)) & 0xFF);
  }
}

std::string encode_check(const Source& source, const Limits& limits) {
  std::string out(kHeaderBytes, '\0');
  Writer writer(out);
  writer.byte(static_cast<std::uint8_t>(RequestKind::kCheck));
  encode_limits(writer, limits);
  writer.varint(1);
  encode_source(writer, source);
  write_header(out, 0);
  return out;
}

std::string encode_run(const std::vector<Source>& sources, const std::vector<Names>& records,
                       std::size_t first, std::size_t& next, const Limits& limits) {
  Documents documents;
  std::string body;
  Writer body_writer(body);
  next = first;
  std::optional<UtcTime> written;  // the records of a batch have one time
  std::string now;
  while (next < records.size() && next - first < kMaxRecordsPerFrame &&
         (next == first || documents.bytes() + body.size() < kFrameBytes)) {
    if (written != records[next].now) now = format_utc(records[next].now);
    written = records[next].now;
    encode_record(body_writer, next, records[next], now, documents);
    ++next;
  }
  std::string out(kHeaderBytes, '\0');
  Writer writer(out);
  writer.byte(static_cast<std::uint8_t>(RequestKind::kRun));
  encode_limits(writer, limits);
  writer.varint(sources.size());
  for (const Source& source : sources) encode_source(writer, source);
  writer.varint(documents.list().size());
  for (const std::string& document : documents.list()) writer.text(document);
  writer.varint(next - first);
  out += body;
  write_header(out, 0);
  return out;
}

bool decode_request(std::string_view payload, Request& request) {
  Reader reader(payload);
  std::uint8_t kind = 0;
  if (!reader.byte(kind) || kind < 1 || kind > 2) return false;
  request.kind = static_cast<RequestKind>(kind);
  if (!reader.varint(request.cpu_ms) || !reader.varint(request.memory_bytes) ||
      !reader.varint(request.stack_bytes) || !reader.varint(request.output_bytes)) {
    return false;
  }
  const std::size_t sources_start = reader.position();
  if (!decode_sources(reader, request)) return false;
  request.sources_bytes = payload.substr(sources_start, reader.position() - sources_start);
  if (request.kind == RequestKind::kCheck) return reader.at_end() && request.sources.size() == 1;
  std::size_t documents = 0;
  if (!reader.count(documents, 1)) return false;
  request.documents.resize(documents);
  for (std::string_view& document : request.documents) {
    if (!reader.text(document)) return false;
  }
  std::size_t records = 0;
  if (!reader.count(records, 1) || records > kMaxRecordsPerFrame) return false;
  request.records.resize(records);
  for (RecordRequest& record : request.records) {
    if (!decode_record(reader, documents, record)) return false;
  }
  return reader.at_end();
}

std::optional<Answer> decode_answer(std::string_view payload) {
  Reader reader(payload);
  std::uint8_t kind = 0;
  if (!reader.byte(kind)) return std::nullopt;
  std::optional<Answer> answer;
  switch (static_cast<AnswerKind>(kind)) {
    case AnswerKind::kReady:
      answer = Ready{};
      break;
    case AnswerKind::kRecord:
      answer = decode_record_answer(reader);
      break;
    case AnswerKind::kDone: {
      Done done;
      std::uint8_t retire = 0;
      if (!reader.varint(done.next) || !reader.byte(retire)) return std::nullopt;
      done.retire = retire != 0;
      answer = done;
      break;
    }
    case AnswerKind::kExpired: {
      Expired expired;
      if (!reader.varint(expired.record)) return std::nullopt;
      answer = expired;
      break;
    }
    case AnswerKind::kCheck: {
      std::uint8_t failed = 0;
      if (!reader.byte(failed) || failed > 1) return std::nullopt;
      CheckAnswer check;
      if (failed == 1 && !decode_failure(reader, check.problem.emplace())) return std::nullopt;
      answer = std::move(check);
      break;
    }
  }
  if (!answer || !reader.at_end()) return std::nullopt;
  return answer;
}

void encode_ready(std::string& out) {
  const std::size_t start = out.size();
  out.append(kHeaderBytes, '\0');
  Writer(out).byte(static_cast<std::uint8_t>(AnswerKind::kReady));
  write_header(out, start);
}

void encode_done(std::string& out, const Done& done) {
  const std::size_t start = out.size();
  out.append(kHeaderBytes, '\0');
  Writer writer(out);
  writer.byte(static_cast<std::uint8_t>(AnswerKind::kDone));
  writer.varint(done.next);
  writer.byte(done.retire ? 1 : 0);
  write_header(out, start);
}

void encode_expired(std::string& out, std::uint64_t record) {
  const std::size_t start = out.size();
  out.append(kHeaderBytes, '\0');
  Writer writer(out);
  writer.byte(static_cast<std::uint8_t>(AnswerKind::kExpired));
  writer.varint(record);
  write_header(out, start);
}

void encode_check_answer(std::string& out, const std::optional<Failure>& problem) {
  const std::size_t start = out.size();
  out.append(kHeaderBytes, '\0');
  Writer writer(out);
  writer.byte(static_cast<std::uint8_t>(AnswerKind::kCheck));
  if (problem) {
    encode_failure(writer, *problem);
  } else {
    writer.byte(0);
  }
  write_header(out, start);
}

void encode_failure(Writer& writer, const Failure& failure) {
  writer.byte(1);
  writer.byte(static_cast<std::uint8_t>(failure.kind));
  std::string_view message = failure.message;
  if (message.size() > kMaxMessageBytes) {
    std::size_t cut = kMaxMessageBytes;
    while (cut > 0 && (static_cast<std::uint8_t>(message[cut]) & 0xC0) == 0x80) --cut;
    message = message.substr(0, cut);
  }
  writer.text(message);
  writer.varint(static_cast<std::uint64_t>(std::max(failure.line, 0)));
  writer.varint(static_cast<std::uint64_t>(std::max(failure.column, 0)));
}

void encode_log(Writer& writer, std::span<const std::string> log) {
  writer.varint(log.size());
  for (const std::string& line : log) writer.text(line);
}

}  // namespace tributary::script
