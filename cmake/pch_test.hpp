// The product's precompiled header and GoogleTest.
#pragma once

#include "pch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
