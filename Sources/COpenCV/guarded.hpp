// What every file of the shim needs: the catch-all around OpenCV, and planes as matrices.
#pragma once

#include "copencv.h"

#include <opencv2/core.hpp>

#include <cstdio>
#include <exception>
#include <new>

namespace shim {

inline void say(ocv_error *error, const char *text) noexcept {
    if (error) std::snprintf(error->text, sizeof error->text, "%s", text);
}

/// Runs `body`; whatever it throws becomes a status and, if there is room for it, a message.
template <typename Body> ocv_status guarded(ocv_error *error, Body body) noexcept {
    say(error, "");
    try {
        return body();
    } catch (const cv::Exception &thrown) {
        // `what()` repeats file, line and version; `err` is the sentence itself.
        say(error, thrown.err.empty() ? thrown.what() : thrown.err.c_str());
        return thrown.code == cv::Error::StsNoMem ? ocv_out_of_memory : ocv_failed;
    } catch (const std::bad_alloc &) {
        return ocv_out_of_memory;
    } catch (const std::exception &thrown) {
        say(error, thrown.what());
        return ocv_failed;
    } catch (...) {
        say(error, "an unknown exception");
        return ocv_failed;
    }
}

/// A header over borrowed pixels. OpenCV has no constant matrix; sources are only read.
inline cv::Mat matrix(const ocv_plane &plane) {
    return cv::Mat(plane.height, plane.width, CV_8UC1, const_cast<uint8_t *>(plane.base),
                   static_cast<size_t>(plane.stride_bytes));
}

inline cv::Mat matrix(const ocv_mutable_plane &plane) {
    return cv::Mat(plane.height, plane.width, CV_8UC1, plane.base, static_cast<size_t>(plane.stride_bytes));
}

} // namespace shim
