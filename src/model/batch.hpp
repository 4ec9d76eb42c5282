// What travels. Devices with points give scans; brokers and databases give records. A batch holds
// many of one kind, and everything on the data path moves in batches.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "model/json.hpp"
#include "model/quality.hpp"
#include "model/value.hpp"

namespace tributary {

// One value of one point. `point` indexes Scan::points.
struct Sample {
  std::uint32_t point = 0;
  Quality quality;
  Value value;
  std::optional<UtcTime> source_time;  // when the device says it was so
  std::shared_ptr<const Error> error;  // why quality is bad; null otherwise
};

// The names of a function's points: made once, shared by every scan.
using PointNames = std::vector<std::string>;

// Samples of one function taken at one instant. A report-on-change scan holds only what changed.
struct Scan {
  std::shared_ptr<const PointNames> points;
  UtcTime receive_time;
  std::vector<Sample> samples;
  // Of values that are read later than they came: how long ago they were last confirmed.
  std::optional<Duration> age{};

  const std::string& name_of(const Sample& sample) const { return (*points)[sample.point]; }
};

// A document travelling through a pipeline.
using Record = Json;

struct Batch {
  std::variant<std::vector<Scan>, std::vector<Record>> content;

  bool is_scans() const { return content.index() == 0; }
  const std::vector<Scan>& scans() const { return std::get<0>(content); }
  const std::vector<Record>& records() const { return std::get<1>(content); }
  static Batch of(Scan scan);
  static Batch of(std::vector<Scan> scans) { return {std::move(scans)}; }
  static Batch of(std::vector<Record> records) { return {std::move(records)}; }
  // Samples, or records: what is counted.
  std::size_t size() const;
};

// Where a record came from, for its $meta.
struct Origin {
  std::string connection;  // name
  std::string function;    // name
};

// The record of a scan (api-examples, "What travels"): points by name, and $meta {connection,
// function, time, points}, where $meta.points lists only what differs from "good, and of
// $meta.time".
Record to_record(const Scan& scan, const Origin& origin);
// All records of a batch. Records pass through; each gets $meta {connection, function, time} unless
// it has one.
std::vector<Record> to_records(Batch batch, const Origin& origin, UtcTime now);

// {"point", "value", "quality", "sourceTime", "receiveTime"}, "ageMs" where the scan has an age
// and, when not good, "code", "error" {code, message}; NaN and infinities: value null, quality
// "uncertain", the text in "raw".
Json to_json(const Scan& scan, const Sample& sample, BigInt big = BigInt::kNumber);

}  // namespace tributary
