#include "actors/room_watch.hpp"

#include <gtest/gtest.h>

namespace kiwi {
namespace {

TEST(RoomWatch, BelowTheReserveAndItsHalf) {
  RoomWatch watch(1000);
  EXPECT_EQ(watch.look(1000), DiskRoom::enough);
  EXPECT_EQ(watch.look(999), DiskRoom::low);
  EXPECT_EQ(watch.look(500), DiskRoom::low);
  EXPECT_EQ(watch.look(499), DiskRoom::none);
}

TEST(RoomWatch, EnoughAgainOnlyAQuarterAboveTheLimit) {
  RoomWatch watch(1000);
  watch.look(100);
  EXPECT_EQ(watch.look(624), DiskRoom::none);
  EXPECT_EQ(watch.look(625), DiskRoom::low);
  EXPECT_EQ(watch.look(1249), DiskRoom::low);
  EXPECT_EQ(watch.look(1250), DiskRoom::enough);
  EXPECT_EQ(watch.look(1000), DiskRoom::enough) << "and it stays enough down to the reserve";
}

TEST(RoomWatch, AllAtOnce) {
  RoomWatch watch(1000);
  EXPECT_EQ(watch.look(0), DiskRoom::none);
  EXPECT_EQ(watch.look(1'000'000), DiskRoom::enough);
}

TEST(RoomWatch, WithoutAReserveThereIsAlwaysEnough) {
  RoomWatch watch;
  EXPECT_EQ(watch.look(0), DiskRoom::enough);
}

}  // namespace
}  // namespace kiwi
