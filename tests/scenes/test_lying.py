from vouch.scenes import draw, lying
from vouch.scenes.lying import Lying
from vouch.scenes.perspective import Camera


def test_the_foot_of_a_thing_is_where_it_touches_what_it_lies_on_in_canvas_pixels():
    paper = draw.canvas(320, 240, 240.0)  # two canvas pixels for each unit
    view = Camera(centre_x=160.0, horizon_y=100.0, focal=250.0, height_m=1.5, bend=0.0)
    thing = Lying("glass_jar", "glass_jar", 0, 1.0, 5.0, 0.5, 1.0, 0.0, True, 0.0, 0.0, 7)
    # 250 x 1 / 5 right of the middle, 250 x (1.5 - .5) / 5 under the horizon
    assert lying.foot_px(paper, view, thing) == (2 * 210.0, 2 * 150.0)
