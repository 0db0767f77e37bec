// Saving a model into memory and restoring it, through Verilator's serialisation.
#pragma once

#include "verilated_save.h"

#include <cstring>
#include <vector>

namespace lpu::sim {

class ImageWriter final : public VerilatedSerialize {
    std::vector<uint8_t>& m_image;

public:
    explicit ImageWriter(std::vector<uint8_t>& image)
        : m_image{image} {
        m_isOpen = true;
    }
    ~ImageWriter() override { flush(); }
    void flush() override {
        m_image.insert(m_image.end(), m_bufp, m_cp);
        m_cp = m_bufp;
    }
};

class ImageReader final : public VerilatedDeserialize {
    const uint8_t* m_next;
    const uint8_t* const m_end;
    size_t m_padding = 0;

    void fill() override {
        size_t kept = m_endp - m_cp;
        std::memmove(m_bufp, m_cp, kept);
        size_t more = bufferSize() - kept;
        if (more > static_cast<size_t>(m_end - m_next)) more = m_end - m_next;
        std::memcpy(m_bufp + kept, m_next, more);
        m_next += more;
        kept += more;
        // Zeros after the end, so that a short image is read to the end of the model and found out by at_end().
        std::memset(m_bufp + kept, 0, bufferSize() - kept);
        m_padding += bufferSize() - kept;
        m_cp = m_bufp;
        m_endp = m_bufp + bufferSize();
    }

public:
    ImageReader(const uint8_t* image, size_t size)
        : m_next{image}
        , m_end{image + size} {
        m_isOpen = true;
        m_cp = m_endp = m_bufp;
        fill();
    }
    void close() override {}
    void flush() override {}
    /// Whether exactly the whole image was read.
    bool at_end() const { return m_next == m_end && static_cast<size_t>(m_endp - m_cp) == m_padding; }
};

}  // namespace lpu::sim
