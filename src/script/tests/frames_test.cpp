// The worker's answers are bytes from somebody who may lie.
#include "script/frames.hpp"

#include <gtest/gtest.h>

#include <random>

#include "base/random.hpp"

namespace tributary::script {
namespace {

Json random_json(SeededRandom& random, int depth) {
  switch (random.next() % (depth > 4 ? 7 : 9)) {
    case 0:
      return Json::null();
    case 1:
      return Json(random.next() % 2 == 0);
    case 2:
      return Json(static_cast<std::int64_t>(random.next()));
    case 3:
      return Json(random.next());
    case 4:
      return Json(static_cast<double>(random.next()) / 3.0);
    case 5:
      return Json("123456789012345678901234567890", jsoncons::semantic_tag::bigint);
    case 6:
      return Json(std::string(random.next() % 20, 'x') + "ü€𝄞");
    case 7: {
      Json array = json_array();
      for (std::uint64_t i = random.next() % 5; i > 0; --i) {
        array.push_back(random_json(random, depth + 1));
      }
      return array;
    }
    default: {
      Json object = json_object();
      for (std::uint64_t i = random.next() % 5; i > 0; --i) {
        object.insert_or_assign(fmt::format("k{}", i), random_json(random, depth + 1));
      }
      return object;
    }
  }
}

TEST(Wire, every_document_comes_back_as_it_was) {
  SeededRandom random(38);
  for (int i = 0; i < 2000; ++i) {
    const Json json = random_json(random, 0);
    std::string bytes;
    wire::Writer(bytes).value(json);
    wire::Reader reader(bytes);
    std::optional<Json> read;
    ASSERT_TRUE(reader.value(read));
    ASSERT_TRUE(reader.at_end());
    ASSERT_EQ(to_text(*read), to_text(json));
  }
}

TEST(Wire, every_cut_of_a_document_is_refused) {
  SeededRandom random(3);
  for (int i = 0; i < 50; ++i) {
    std::string bytes;
    wire::Writer(bytes).value(random_json(random, 0));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      wire::Reader reader(std::string_view(bytes).substr(0, size));
      std::optional<Json> read;
      ASSERT_FALSE(reader.value(read) && reader.at_end()) << size << " of " << bytes.size();
    }
  }
}

TEST(Wire, depth_lengths_and_text_are_checked) {
  const auto refused = [](std::string bytes) {
    wire::Reader reader(bytes);
    std::optional<Json> read;
    return !reader.value(read);
  };
  std::string deep;
  for (int i = 0; i < kMaxJsonDepth + 1; ++i) deep += "\x09\x01";
  EXPECT_TRUE(refused(deep + '\x01'));
  EXPECT_FALSE(refused(deep.substr(2) + '\x01'));
  EXPECT_TRUE(refused("\x09\xff\xff\xff\xff\x0f"))
      << "a list of four billion elements in six bytes";
  EXPECT_TRUE(refused("\x07\x02\xc3\x28")) << "not UTF-8";
  EXPECT_TRUE(refused("\x08\x02-x")) << "not a number";
  EXPECT_TRUE(refused("\x09\x01\x00")) << "undefined inside";
  EXPECT_TRUE(refused("\x0b"));
}

TEST(Frames, answers_are_read_back_and_broken_ones_refused) {
  std::string out;
  encode_done(out, {7, true});
  const auto done = decode_answer(std::string_view(out).substr(kHeaderBytes));
  ASSERT_TRUE(done && std::holds_alternative<Done>(*done));
  EXPECT_EQ(std::get<Done>(*done).next, 7U);
  EXPECT_TRUE(std::get<Done>(*done).retire);
  EXPECT_FALSE(decode_answer(std::string_view(out).substr(kHeaderBytes).substr(0, 2)));
  EXPECT_FALSE(decode_answer(out.substr(kHeaderBytes) + "x")) << "something behind the end";
  EXPECT_FALSE(decode_answer(""));
  EXPECT_FALSE(decode_answer("\x09"));
  std::string problem;
  encode_check_answer(problem, Failure{FailureKind::kFailed, std::string(10'000, 'x'), 2, 3});
  const auto check = decode_answer(std::string_view(problem).substr(kHeaderBytes));
  ASSERT_TRUE(check && std::holds_alternative<CheckAnswer>(*check));
  EXPECT_EQ(std::get<CheckAnswer>(*check).problem->message.size(), 4096U);
}

TEST(Frames, a_document_that_many_names_point_at_is_sent_once) {
  const Json large(std::string(10'000, 'x'));
  std::vector<Names> records(100);
  for (Names& names : records) names.input = names.item = names.trigger = &large;
  std::size_t next = 0;
  const std::string frame =
      encode_run({{Source::Kind::kExpression, "1", 1, 1}}, records, 0, next, {});
  EXPECT_EQ(next, 100U);
  EXPECT_LT(frame.size(), 20'000U);
  Request request;
  ASSERT_TRUE(decode_request(std::string_view(frame).substr(kHeaderBytes), request));
  EXPECT_EQ(request.documents.size(), 1U);
  EXPECT_EQ(request.records.size(), 100U);
}

TEST(Frames, a_frame_ends_when_it_is_large_enough) {
  const std::vector<Json> documents(10, Json(std::string(300'000, 'x')));
  std::vector<Names> records(10);
  for (std::size_t i = 0; i < 10; ++i) records[i].input = &documents[i];
  std::size_t next = 0;
  encode_run({{Source::Kind::kExpression, "1", 1, 1}}, records, 0, next, {});
  EXPECT_EQ(next, 4U);
  encode_run({{Source::Kind::kExpression, "1", 1, 1}}, records, 8, next, {});
  EXPECT_EQ(next, 10U);
}

}  // namespace
}  // namespace tributary::script
