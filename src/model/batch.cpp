#include "model/batch.hpp"

#include <cmath>

namespace tributary {
namespace {

// NaN and infinities are no JSON numbers: the sample is uncertain, its text is kept (api-examples,
// "Functions").
std::optional<std::string> raw_text(const Value& value) {
  auto* number = std::get_if<double>(&value);
  if (number == nullptr || std::isfinite(*number)) return std::nullopt;
  if (std::isnan(*number)) return "NaN";
  return *number > 0 ? "Infinity" : "-Infinity";
}

Quality shown_quality(const Sample& sample) {
  return sample.quality.is_good() && raw_text(sample.value) ? kUncertain : sample.quality;
}

Json make_meta(const Origin& origin, UtcTime time) {
  Json meta = json_object();
  meta.insert_or_assign("connection", origin.connection);
  meta.insert_or_assign("function", origin.function);
  meta.insert_or_assign("time", format_utc(time));
  return meta;
}

// What a record says of a point that is not simply "good, and of the scan's time"; null when there
// is nothing to say.
Json point_note(const Scan& scan, const Sample& sample) {
  Json note = json_object();
  Quality quality = shown_quality(sample);
  if (!quality.is_good()) {
    note.insert_or_assign("quality", quality.name());
    note.insert_or_assign("code", quality.code_name());
  }
  if (auto raw = raw_text(sample.value)) note.insert_or_assign("raw", *raw);
  if (sample.error) note.insert_or_assign("message", sample.error->message);
  if (sample.source_time && *sample.source_time != scan.receive_time) {
    note.insert_or_assign("time", format_utc(*sample.source_time));
  }
  return note.empty() ? Json::null() : note;
}

}  // namespace

Batch Batch::of(Scan scan) {
  std::vector<Scan> scans;
  scans.push_back(std::move(scan));
  return {std::move(scans)};
}

std::size_t Batch::size() const {
  if (!is_scans()) return records().size();
  std::size_t count = 0;
  for (const auto& scan : scans()) count += scan.samples.size();
  return count;
}

Record to_record(const Scan& scan, const Origin& origin) {
  Record record = json_object();
  Json notes = json_object();
  record.reserve(scan.samples.size() + 1);
  for (const auto& sample : scan.samples) {
    const std::string& name = scan.name_of(sample);
    record.insert_or_assign(name, sample.quality.is_bad() ? Json::null() : to_json(sample.value));
    if (Json note = point_note(scan, sample); !note.is_null())
      notes.insert_or_assign(name, std::move(note));
  }
  Json meta = make_meta(origin, scan.receive_time);
  if (!notes.empty()) meta.insert_or_assign("points", std::move(notes));
  record.insert_or_assign("$meta", std::move(meta));
  return record;
}

std::vector<Record> to_records(Batch batch, const Origin& origin, UtcTime now) {
  if (batch.is_scans()) {
    std::vector<Record> records;
    records.reserve(batch.scans().size());
    for (const auto& scan : batch.scans()) records.push_back(to_record(scan, origin));
    return records;
  }
  auto records = std::get<1>(std::move(batch.content));
  const Json shared = make_meta(origin, now);
  for (auto& record : records) {
    if (!record.is_object()) continue;
    // A connector that has something to say of single values does not know the rest.
    const auto own = record.find("$meta");
    if (own == record.object_range().end()) {
      record.insert_or_assign("$meta", shared);
    } else if (own->value().is_object() && own->value().size() == 1 &&
               own->value().contains("points")) {
      Json meta = shared;
      meta.insert_or_assign("points", std::move(own->value()["points"]));
      own->value() = std::move(meta);
    }
  }
  return records;
}

Json to_json(const Scan& scan, const Sample& sample, BigInt big) {
  Quality quality = shown_quality(sample);
  Json json = json_object();
  json.insert_or_assign("point", scan.name_of(sample));
  json.insert_or_assign("value", quality.is_bad() ? Json::null() : to_json(sample.value, big));
  json.insert_or_assign("quality", quality.name());
  if (!quality.is_good()) json.insert_or_assign("code", quality.code_name());
  if (auto raw = raw_text(sample.value)) json.insert_or_assign("raw", *raw);
  json.insert_or_assign("sourceTime",
                        sample.source_time ? Json(format_utc(*sample.source_time)) : Json::null());
  json.insert_or_assign("receiveTime", format_utc(scan.receive_time));
  if (scan.age)
    json.insert_or_assign("ageMs",
                          std::chrono::floor<std::chrono::milliseconds>(*scan.age).count());
  if (sample.error) {
    Json error = json_object();
    error.insert_or_assign("code", sample.error->code);
    error.insert_or_assign("message", sample.error->message);
    json.insert_or_assign("error", std::move(error));
  }
  return json;
}

}  // namespace tributary
