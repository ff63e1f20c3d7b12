// ---- the camera: which part of a picture is seen

const LEGIBLE = 10; // pixels: where text would be smaller, the camera follows the step instead of showing all
const LARGE = 20; // pixels: text large enough to be read from afar
const LARGEST = 30; // pixels

class Camera {
    constructor(svg, whole) {
        Object.assign(this, {svg, whole, seen: {...whole}, goal: {...whole}, width: 0, height: 0, isHeld: false});
    }

    // Take the size of the element around the picture, in pixels: with a size in percent, every changed word of the page would
    // cause a layout of the whole picture.  These pixels are those of its style, whatever scales the page, such as a slide show.
    resize({clientWidth: width, clientHeight: height}) {
        Object.assign(this, {width, height});
        this.svg.style.width = `${width}px`;
        this.svg.style.height = `${height}px`;
    }

    // Show an area, whatever its size is.
    show(area) {
        this.goal = area;
        this.move();
    }

    // The size of text, at most LARGE, if a window of this size in pixels shows the whole picture.
    sizeIn(width, height) {
        return Math.min(EM * Math.min(width / this.whole.width, height / this.whole.height), LARGE);
    }

    // The size of a pixel, in units of the picture.
    get pixel() {
        return this.seen.width / this.width;
    }

    // The size of a pixel if the whole picture is shown.
    get fitted() {
        return Math.max(this.whole.width / this.width, this.whole.height / this.height, EM / LARGEST);
    }

    // Aim at the whole picture or, if that would make its text smaller than some pixels, at an area.
    aim(area, text = LEGIBLE) {
        if (!this.width || !this.height) return;
        const unit = this.isHeld ? this.pixel : Math.min(this.fitted, EM / text);
        const centre = area ? [area.x + area.width / 2, area.y + area.height / 2] : this.middle;
        if (this.isHeld && area && this.holds(area)) return;
        this.goal = this.bounded(centre, unit);
    }

    get middle() {
        return [this.seen.x + this.seen.width / 2, this.seen.y + this.seen.height / 2];
    }

    sees(x, y) {
        const {seen} = this;
        return x >= seen.x && y >= seen.y && x <= seen.x + seen.width && y <= seen.y + seen.height;
    }

    holds({x, y, width, height}) {
        return this.sees(x, y) && this.sees(x + width, y + height);
    }

    bounded([x, y], unit) {
        const {whole} = this, along = (centre, start, size, seen) =>
            seen >= size ? start + (size - seen) / 2 : clamp(centre - seen / 2, start, start + size - seen);
        const [width, height] = [this.width * unit, this.height * unit];
        return {x: along(x, whole.x, whole.width, width), y: along(y, whole.y, whole.height, height), width, height};
    }

    // Zoom by a factor around a point of the window, given as fractions of its size.
    zoom(by, [x, y] = [0.5, 0.5]) {
        const {seen, width, height, pixel} = this, unit = clamp(pixel / by, EM / 80, Math.max(this.fitted, EM / LEGIBLE));
        const [u, v] = [seen.x + seen.width * x, seen.y + seen.height * y];
        this.centre([u - width * unit * (x - 0.5), v - height * unit * (y - 0.5)], unit);
        this.move();
    }

    // Look at a point until the picture is fitted again.
    centre(point, unit = this.pixel) {
        this.isHeld = true;
        this.goal = this.bounded(point, unit);
    }

    // Go close to an area, with some of its surroundings.
    approach({x, y, width, height}) {
        const unit = clamp(1.25 * Math.max(width / this.width, height / this.height), EM / LARGEST, this.fitted);
        this.centre([x + width / 2, y + height / 2], unit);
    }

    // Draw the map of a picture: its boxes, and the part that is seen; no map if that is the whole picture.
    drawMap(element, boxes, node) {
        const {whole, seen} = this, group = element.firstElementChild, window = element.lastElementChild;
        const isWhole = seen.width > 0.98 * whole.width && seen.height > 0.98 * whole.height;
        element.toggleAttribute("hidden", isWhole);
        if (isWhole) return;
        if (element.shows !== boxes) {
            element.shows = boxes;
            element.setAttribute("viewBox", `${whole.x} ${whole.y} ${whole.width} ${whole.height}`);
            group.replaceChildren(...boxes.filter(({area}) => area).map(({area, ids}) => {
                const part = drawn("rect", area);
                part.ids = ids;
                return part;
            }));
        }
        for (const part of group.children) part.classList.toggle("here", part.ids.includes(node));
        for (const name of ["x", "y", "width", "height"]) put(window, name, seen[name].toFixed(0));
    }

    // Move the picture by parts of the window's size.
    pan(dx, dy) {
        const {middle: [x, y], seen} = this;
        this.centre([x - dx * seen.width, y - dy * seen.height]);
        this.move();
    }

    // Go a part of the way to the goal, by default all of it; return whether there is more to go.
    move(part = 1) {
        let rest = 0;
        for (const key of ["x", "y", "width", "height"]) {
            const gap = this.goal[key] - this.seen[key];
            rest = Math.max(rest, Math.abs(gap));
            this.seen[key] += Math.abs(gap) < 0.5 ? gap : gap * part;
        }
        const {x, y, width, height} = this.seen;
        put(this.svg, "viewBox", [x, y, width, height].map((each) => each.toFixed(1)).join(" "));
        return rest >= 0.5;
    }
}
