// SPDX-License-Identifier: Apache-2.0
#include "pipeline/translator.h"

#include <gtest/gtest.h>

#include <cstring>

#include "event/section_fields.h"
#include "tests/support/events.h"

namespace sockeye {
namespace {

struct Opened {
  socket_event base;
  uint8_t saddr[16], daddr[16], nat_daddr[16];
  uint16_t sport, dport, nat_dport, pad;
};

constexpr Field kFields[] = {
    {.name = "saddr", .type = FieldType::kAddress, SOCKEYE_MEMBER(Opened, saddr)},
    {.name = "sport", .type = FieldType::kUnsigned, SOCKEYE_MEMBER(Opened, sport)},
    {.name = "daddr", .type = FieldType::kAddress, SOCKEYE_MEMBER(Opened, daddr)},
    {.name = "dport", .type = FieldType::kUnsigned, SOCKEYE_MEMBER(Opened, dport)},
    {.name = "nat_daddr", .type = FieldType::kAddress, SOCKEYE_MEMBER(Opened, nat_daddr)},
    {.name = "nat_dport", .type = FieldType::kUnsigned, SOCKEYE_MEMBER(Opened, nat_dport)},
};

EventType opened_type(std::span<const Field> own) {
  return {.name = "test",
          .kind = 999,
          .size = sizeof(Opened),
          .sections = kSocketSections,
          .common = kSocketFields,
          .own = own};
}

Opened opened() {
  Opened event = {};
  event.base = client_socket();
  event.base.header.size = sizeof event;
  memcpy(event.saddr, event.base.socket.laddr, sizeof event.saddr);
  memcpy(event.daddr, event.base.socket.raddr, sizeof event.daddr);
  event.sport = event.base.socket.lport;
  event.dport = event.base.socket.rport;
  return event;
}

// Everything goes to port 81 of where it was to go.
class Everything : public FlowTable {
 public:
  bool is_in_use() override { return true; }
  std::optional<FlowEnd> answers_from(const Flow& flow) override {
    FlowEnd end = flow.destination;
    end.port = 81;
    return end;
  }
};

class TranslatorTest : public testing::Test {
 protected:
  // What has become of the event.
  Opened filled(const EventType& type, const Opened& event) {
    const EventType* types[] = {&type};
    Translator translator(types, Translations([](uint32_t, uint32_t) { return std::make_unique<Everything>(); }),
                          clock_);
    Batch batch;
    batch.add(&event.base.header, sizeof event, &type);
    translator.fill(batch);
    Opened got;
    memcpy(&got, batch.events().front().bytes(), sizeof got);
    return got;
  }

  FixedClock clock_;
};

TEST_F(TranslatorTest, PutsIntoAEventWhereItsDestinationWasTranslatedTo) {
  const EventType type = opened_type(kFields);
  const Opened got = filled(type, opened());
  EXPECT_EQ(got.nat_dport, 81);
  EXPECT_EQ(memcmp(got.nat_daddr, opened().daddr, sizeof got.nat_daddr), 0);
  EXPECT_EQ(got.dport, 8000) << "that stays what was asked for";
}

TEST_F(TranslatorTest, AsksForWhatTheSocketIsConnectedTo) {
  const EventType type = opened_type(kFields);
  Opened chosen = opened();  // another end than the process asked for
  chosen.dport = 80;
  memset(chosen.daddr, 7, sizeof chosen.daddr);
  const Opened got = filled(type, chosen);
  EXPECT_EQ(got.nat_dport, 81);
  EXPECT_EQ(memcmp(got.nat_daddr, chosen.base.socket.raddr, sizeof got.nat_daddr), 0);
  EXPECT_EQ(got.dport, 80);
}

TEST_F(TranslatorTest, LeavesWhatIsThereWhereNoRuleIs) {
  const EventType type = opened_type(kFields);
  Opened chosen = opened();
  chosen.base.socket.rport = 81;  // which is where everything goes
  chosen.nat_dport = 8080;
  EXPECT_EQ(filled(type, chosen).nat_dport, 8080);
}

TEST_F(TranslatorTest, OnlyOfWhoOpenedIt) {
  const EventType type = opened_type(kFields);
  Opened accepted = opened(), unbound = opened();
  accepted.base.socket.role = ROLE_SERVER;
  unbound.base.socket.lport = 0;
  EXPECT_EQ(filled(type, accepted).nat_dport, 0);
  EXPECT_EQ(filled(type, unbound).nat_dport, 0);
}

TEST_F(TranslatorTest, IsWantedWhereATypeHasTheFields) {
  const EventType with = opened_type(kFields), without = opened_type(std::span(kFields).first(4));
  const EventType *both[] = {&without, &with}, *one[] = {&without};
  EXPECT_TRUE(Translator(both, Translations(), clock_).is_wanted());
  EXPECT_FALSE(Translator(one, Translations(), clock_).is_wanted());
  EXPECT_EQ(filled(without, opened()).nat_dport, 0);
}

}  // namespace
}  // namespace sockeye
