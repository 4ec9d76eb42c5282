// $fn and $quality: every example of docs/pipelines/scripts.md, and what they refuse.
#include "script/tests/script_support.hpp"

namespace tributary::script {
namespace {

class HelpersTest : public ScriptsTest {
 protected:
  void expect(const std::string& text, const std::string& json) {
    EXPECT_EQ(value(expression(text)), json) << text;
  }
  void expect_refused(const std::string& text, const std::string& message) {
    EXPECT_NE(value(expression(text)).find(message), std::string::npos)
        << text << " → " << value(expression(text));
  }
};

TEST_F(HelpersTest, times_are_formatted_in_a_zone) {
  const std::string time = "'2026-07-01T10:05:09.007Z'";
  expect("$fn.date.format(" + time + ", 'yyyy-MM-dd HH:mm', 'Europe/Istanbul')",
         R"("2026-07-01 13:05")");
  expect("$fn.date.format(" + time + ")", R"("2026-07-01T10:05:09.007Z")");
  expect("$fn.date.format(" + time + ", undefined, 'Asia/Kolkata')",
         R"("2026-07-01T15:35:09.007+05:30")");
  expect("$fn.date.format(" + time +
             ", \"EEEE d MMMM yy, h:m:s a, 'o''clock' z xx\", 'Europe/Berlin')",
         R"("Wednesday 1 July 26, 12:5:9 PM, o'clock CEST +0200")");
  expect("$fn.date.format(0, 'EEE dd MMM yyyy hh:mm:ss.SSS a')",
         R"("Thu 01 Jan 1970 12:00:00.000 AM")");
  expect_refused("$fn.date.format(0, 'QQQ')", "the format has no 'QQQ'");
  expect_refused("$fn.date.format(0, 'dd', 'Mars/Base')", "there is no time zone \"Mars/Base\"");
  expect_refused("$fn.date.format('yesterday')", "this is no time: yesterday");
}

TEST_F(HelpersTest, texts_are_read_as_times) {
  expect("$fn.date.parse('2026-07-01T10:00:00+02:00')", R"("2026-07-01T08:00:00.000Z")");
  expect("$fn.date.parse('2026-07-01 10:00', undefined, 'Europe/Berlin')",
         R"("2026-07-01T08:00:00.000Z")");
  expect("$fn.date.parse('01.07.2026 10:00', 'dd.MM.yyyy HH:mm', 'Europe/Berlin')",
         R"("2026-07-01T08:00:00.000Z")");
  expect("$fn.date.parse('1 Jul 2026', 'd MMM yyyy')", R"("2026-07-01T00:00:00.000Z")");
  expect("$fn.date.parse('20260701T100000-0530', \"yyyyMMdd'T'HHmmssxx\")",
         R"("2026-07-01T15:30:00.000Z")");
  for (const char* text : {"2026-02-30", "2026-13-01", "2026-07-01T25:00", "soon"}) {
    expect_refused(fmt::format("$fn.date.parse('{}')", text), "this is no time");
  }
}

TEST_F(HelpersTest, edge_days_of_clock_changes_are_shifted_by_the_calendar) {
  // Berlin goes from +01:00 to +02:00 on 29 March 2026 at 02:00, and back on 25 October at 03:00.
  expect("$fn.date.shift('2026-03-28T12:00:00+01:00', {days: 1}, 'Europe/Berlin')",
         R"("2026-03-29T10:00:00.000Z")");
  expect("$fn.date.shift('2026-03-28T12:00:00+01:00', {hours: 24}, 'Europe/Berlin')",
         R"("2026-03-29T11:00:00.000Z")");
  expect("$fn.date.shift('2026-03-28T02:30:00+01:00', {days: 1}, 'Europe/Berlin')",
         R"("2026-03-29T01:00:00.000Z")");
  expect("$fn.date.shift('2026-10-24T02:30:00+02:00', {days: 1}, 'Europe/Berlin')",
         R"("2026-10-25T00:30:00.000Z")");
  expect("$fn.date.shift('2026-01-31T00:00:00Z', {months: 1})", R"("2026-02-28T00:00:00.000Z")");
  expect("$fn.date.shift('2024-02-29T00:00:00Z', {years: -1, weeks: 1})",
         R"("2023-03-07T00:00:00.000Z")");
  expect_refused("$fn.date.shift(0, {fortnights: 1})", "cannot be shifted by 'fortnights'");
}

TEST_F(HelpersTest, times_have_a_start_of_their_unit_in_a_zone) {
  const std::string time = "'2026-07-01T22:30:15.5Z'";  // Thursday 00:30 in Berlin
  const auto start = [&](const std::string& unit, const std::string& zone) {
    return "$fn.date.startOf(" + time + ", '" + unit + "', '" + zone + "')";
  };
  expect(start("day", "Europe/Berlin"), R"("2026-07-01T22:00:00.000Z")");
  expect(start("day", "UTC"), R"("2026-07-01T00:00:00.000Z")");
  expect(start("week", "Europe/Berlin"), R"("2026-06-28T22:00:00.000Z")");
  expect(start("month", "Europe/Berlin"), R"("2026-06-30T22:00:00.000Z")");
  expect(start("quarter", "Europe/Berlin"), R"("2026-06-30T22:00:00.000Z")");
  expect(start("year", "Europe/Berlin"), R"("2025-12-31T23:00:00.000Z")");
  expect(start("hour", "Asia/Kolkata"), R"("2026-07-01T22:30:00.000Z")");
  expect(start("minute", "UTC"), R"("2026-07-01T22:30:00.000Z")");
  expect(start("second", "UTC"), R"("2026-07-01T22:30:15.000Z")");
  // The second of two hours that the clocks show as 02.
  expect("$fn.date.startOf('2026-10-25T01:30:00Z', 'hour', 'Europe/Berlin')",
         R"("2026-10-25T01:00:00.000Z")");
  expect("$fn.date.parts('2026-07-01T10:00:00Z', 'Asia/Kolkata')",
         R"({"year":2026,"month":7,"day":1,"hour":15,"minute":30,"second":0,"millisecond":0,)"
         R"("weekday":3,"offsetMinutes":330,"zone":"Asia/Kolkata"})");
}

TEST_F(HelpersTest, units_are_converted_within_their_quantity) {
  expect("$fn.units.convert(20, 'degC', 'degF')", "68");
  expect("$fn.units.convert(-40, '°F', '°C')", "-40");
  expect("$fn.units.convert(0, 'degC', 'K')", "273.15");
  expect("$fn.units.convert(1, 'bar', 'psi')", "14.5037737730209");
  expect("$fn.units.convert(1, 'mi', 'km')", "1.609344");
  expect("$fn.units.convert(60, 'L/min', 'm3/h')", "3.6");
  expect("$fn.units.convert(3000, 'rpm', 'rps')", "50");
  expect("$fn.units.convert(1, 'kWh', 'MJ')", "3.6");
  expect("$fn.units.convert(180, 'deg', 'turn')", "0.5");
  expect("$fn.units.convert(50, 'Hz', '1/min')", "3000");
  expect("$fn.units.convert(null, 'degC', 'K')", "null");
  expect("$fn.units.list().length > 150", "true");
  expect_refused("$fn.units.convert(1, 'degC', 'bar')",
                 "degC is a unit of temperature, bar of pressure");
  expect_refused("$fn.units.convert(1, 'parsec', 'm')", "there is no unit 'parsec'");
  expect_refused("$fn.units.convert('1', 'm', 'km')", "must be a number");
}

TEST_F(HelpersTest, every_unit_converts_to_its_base_and_back) {
  EXPECT_EQ(value(function(R"(
    const bases = ['K', 'Pa', 'm', 'm2', 'kg', 'm3', 'm3/s', 'kg/s', 'm/s', 'rad/s', 'W', 'J', 's', 'rad', 'Hz', 'A', 'V',
      'ohm', 'C', 'VA', 'var', 'N', 'Nm'];
    const wrong = [];
    for (const unit of $fn.units.list()) {
      let found = 0;
      for (const base of bases) {
        let there;
        try { there = $fn.units.convert(12.5, unit, base); } catch { continue; }
        found += 1;
        const back = $fn.units.convert(there, base, unit);
        if (Math.abs(back - 12.5) > 1e-9) wrong.push([unit, base, back]);
      }
      if (found !== 1) wrong.push([unit, found]);
    }
    return wrong;)")),
            "[]");
}

TEST_F(HelpersTest, hashes_match_published_vectors) {
  // FIPS 180-4 and RFC 4231, test case 2; the check value of the CRC catalogues.
  expect("$fn.hash.sha256('abc')",
         R"("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")");
  expect("$fn.hash.sha512('abc').slice(0, 16)", R"("ddaf35a193617aba")");
  expect("$fn.hash.hmacSha256('Jefe', 'what do ya want for nothing?')",
         R"("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")");
  expect("$fn.hash.hmacSha512('Jefe', 'what do ya want for nothing?').slice(0, 16)",
         R"("164b7a7bfcf819e2")");
  expect("$fn.hash.sha256([97, 98, 99], 'base64')",
         R"("ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=")");
  expect("$fn.hash.sha256('', 'bytes').length", "32");
  expect("$fn.hash.crc32('123456789').toString(16)", R"("cbf43926")");
  expect("$fn.hash.crc16modbus('123456789').toString(16)", R"("4b37")");
  expect_refused("$fn.hash.sha256(5)", "the data must be a text");
  expect_refused("$fn.hash.sha256('', 'octal')", "a hash is given as");
}

TEST_F(HelpersTest, old_hashes_match_published_vectors) {
  // RFC 1321, A.5.
  expect(
      "['', 'a', 'abc', 'message digest', 'abcdefghijklmnopqrstuvwxyz'].map(t => $fn.hash.md5(t))",
      R"(["d41d8cd98f00b204e9800998ecf8427e","0cc175b9c0f1b6a831c399e269772661",)"
      R"("900150983cd24fb0d6963f7d28e17f72","f96b697d7cb7938d525a2f31aaf161d0",)"
      R"("c3fcd3d76192e4007dfb496cca67e13b"])");
  expect("$fn.hash.md5('1234567890'.repeat(8))", R"("57edf4a22be3c955ac49da2e2107b67a")");
  // FIPS 180-4's examples, and the million of a.
  expect(
      "['', 'abc', 'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'].map(t => "
      "$fn.hash.sha1(t))",
      R"(["da39a3ee5e6b4b0d3255bfef95601890afd80709","a9993e364706816aba3e25717850c26c9cd0d89d",)"
      R"("84983e441c3bd26ebaae4aa1f95129e5e54670f1"])");
  expect("$fn.hash.sha1('a'.repeat(1e6))", R"("34aa973cd4c4daa4f61eeb2bdbad27316534016f")");
  // RFC 2202, test cases 1, 2, 3 and 6 (a key longer than a block).
  expect("$fn.hash.hmacMd5('Jefe', 'what do ya want for nothing?')",
         R"("750c783e6ab0b503eaa86e310a5db738")");
  expect("$fn.hash.hmacMd5(Array(16).fill(0xaa), Array(50).fill(0xdd))",
         R"("56be34521d144c88dbb8c733f0e8b3f6")");
  expect(
      "$fn.hash.hmacMd5(Array(80).fill(0xaa), 'Test Using Larger Than Block-Size Key - Hash Key "
      "First')",
      R"("6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd")");
  expect("$fn.hash.hmacSha1(Array(20).fill(0x0b), 'Hi There')",
         R"("b617318655057264e28bc0b6fb378c8ef146be00")");
  expect("$fn.hash.hmacSha1('Jefe', 'what do ya want for nothing?')",
         R"("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")");
  expect(
      "$fn.hash.hmacSha1(Array(80).fill(0xaa), 'Test Using Larger Than Block-Size Key - Hash Key "
      "First')",
      R"("aa4ae5e15272d00e95705637ce8a3b55ed402112")");
  expect("$fn.hash.hmacSha1('', '', 'base64')", R"("+9sdGxiqbAgyS31ktx+3Y3BpDh0=")");
}

TEST_F(HelpersTest, every_length_around_a_block_is_padded_rightly) {
  // The digest of the digests of all lengths: as Python's hashlib gives it.
  expect("$fn.hash.md5(Array.from({length: 200}, (_, n) => $fn.hash.md5('x'.repeat(n))).join(''))",
         R"("0f0e2ac786e6a42eac7e7de3a518cd0c")");
  expect(
      "$fn.hash.sha1(Array.from({length: 200}, (_, n) => $fn.hash.sha1('x'.repeat(n))).join(''))",
      R"("f024a06f9df4db3a81e536a8d16895eb9a9defb5")");
}

TEST_F(HelpersTest, encodings_go_both_ways) {
  expect("$fn.base64.encode('hé?>')", R"("aMOpPz4=")");
  expect("$fn.base64.encodeUrl('hé?>')", R"("aMOpPz4")");
  expect("[$fn.base64.decode('aMOpPz4='), $fn.base64.decode('aMOpPz4')]", R"(["hé?>","hé?>"])");
  expect("$fn.base64.decodeBytes('AP8=')", "[0,255]");
  expect("$fn.hex.encode('Aé')", R"("41c3a9")");
  expect("$fn.hex.decode('41C3a9')", R"("Aé")");
  expect("$fn.hex.decodeBytes('00ff')", "[0,255]");
  expect_refused("$fn.base64.decode('*')", "the text is not base64");
  expect_refused("$fn.hex.decode('abc')", "the text is not hexadecimal");
}

TEST_F(HelpersTest, jmespath_selects) {
  EXPECT_EQ(value(expression("$fn.jmespath($input, 'tags[?value > `10`].name')"),
                  parsed(R"({"tags": [{"name": "a", "value": 5}, {"name": "b", "value": 50}]})")),
            R"(["b"])");
  expect("$fn.jmespath({a: 1}, 'b')", "null");
  expect_refused("$fn.jmespath({}, 'a[')", "JMESPath");
}

TEST_F(HelpersTest, quality_is_what_meta_says) {
  const Json record = parsed(
      R"({"speed": null, "level": 3, "$meta": {"points": {"speed": {"quality": "bad", "code": "BadTimeout"}}}})");
  EXPECT_EQ(value(expression("$quality('speed')"), record),
            R"({"quality":"bad","code":"BadTimeout","isGood":false})");
  EXPECT_EQ(value(expression("$quality('level')"), record),
            R"({"quality":"good","code":null,"isGood":true})");
  EXPECT_EQ(
      value(expression("[$fn.isGood($input, 'level'), $fn.quality($input, 'speed').code]"), record),
      R"([true,"BadTimeout"])");
  EXPECT_EQ(value(function("return $input.level + ($fn.isGood($input, 'speed') ? 1 : 0)"), record),
            "3");
}

}  // namespace
}  // namespace tributary::script
